from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import sessions
from accounts.admin.scoping import get_seller_roles
from accounts.admin.signing import Signed
from accounts.models import AuditEntry, SellerMember, User
from accounts.requests import needs_recent_proof
from accounts.roles import StaffRole, may_change_person, may_give, may_look_as
from accounts.services import members, second_factors, sign_ins, staff
from shop.admin.look_only import LookOnly
from shop.errors import ShopError


class PersonCreationForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("email",)
        field_classes = {"email": forms.EmailField}

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class GroupsField(forms.ModelMultipleChoiceField):
    """Groups, those of the shop's own roles by their names in the page's language."""

    def label_from_instance(self, group: Any) -> str:
        known = group.name in StaffRole.values
        return str(StaffRole(group.name).label) if known else group.name


class PersonChangeForm(UserChangeForm):
    class Meta:
        model = User
        fields = (
            *("email", "password", "name", "is_active", "is_superuser"),
            *("groups", "user_permissions"),
        )
        field_classes = {"email": forms.EmailField, "groups": GroupsField}

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class MembershipInline(LookOnly, TabularInline):
    """For which sellers somebody works; changed on the page of members."""

    model = SellerMember
    fields = ["seller", "role"]
    extra = 0
    can_delete = False
    show_change_link = True


@admin.register(User)
class UserAdmin(Signed, DjangoUserAdmin, ModelAdmin):
    """People. Nobody gives rights they have not, or changes who has more; see `accounts.roles`."""

    form = PersonChangeForm
    add_form = PersonCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ["email"]
    list_display = ["email", "name", "is_staff", "is_active", "joined_at"]
    list_filter = ["is_staff", "is_superuser", "is_active"]
    list_filter_submit = True
    search_fields = ["email", "name"]
    readonly_fields = ["joined_at", "last_login"]
    filter_horizontal = ["user_permissions"]
    inlines = [MembershipInline]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "password1", "password2"]})]
    change_form_outer_before_template = "admin/accounts/person_actions.html"

    # Who may ------------------------------------------------------------------------------------

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not get_seller_roles(request) and super().has_view_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not get_seller_roles(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if get_seller_roles(request) or not super().has_change_permission(request, obj):
            return False
        return obj is None or may_change_person(_me(request), obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes somebody who may do more, or themselves."""
        if get_seller_roles(request) or not super().has_delete_permission(request, obj):
            return False
        me = _me(request)
        return obj is None or (obj.pk != me.pk and may_change_person(me, obj))

    # The form -----------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        who = ["email", "name"]
        if self.has_change_permission(request, obj):
            who.insert(1, "password")
        rights = ["is_active", "groups"]
        if _me(request).is_superuser:
            rights += ["is_superuser", "user_permissions"]
        return [
            (None, {"fields": who}),
            (
                gettext_lazy("Rights"),
                {
                    "fields": rights,
                    "description": gettext_lazy(
                        "Whoever has a role may enter the admin. You can give what you have yourself."
                    ),
                },
            ),
            (gettext_lazy("Dates"), {"fields": ["joined_at", "last_login"]}),
        ]

    def get_inlines(self, request: object, obj: User | None) -> list[Any]:
        return [MembershipInline] if obj else []

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            me = _me(request)
            mine = [group.pk for group in Group.objects.all() if may_give(me, group)]
            kwargs["queryset"] = Group.objects.filter(pk__in=mine)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @method_decorator(needs_recent_proof)
    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        return super().user_change_password(request, id, form_url)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        person = self.get_object(request, object_id)
        actions = {
            "may_look_as": person is not None and may_look_as(_me(request), person),
            "may_reset": person is not None and self._may_reset(request, person),
            "minutes": int(sessions.LONGEST.total_seconds() // 60),
        }
        return super().change_view(request, object_id, form_url, actions | (extra_context or {}))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            return self._or_refuse(
                request, _change_with_proof, super().changeform_view, args, kwargs
            )
        return super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_refuse(request, _change_with_proof, super().delete_view, args, kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            return self._or_refuse(
                request, _change_with_proof, super().changelist_view, args, kwargs
            )
        return super().changelist_view(request, *args, **kwargs)

    def _or_refuse(
        self,
        request: HttpRequest,
        call: Callable[..., HttpResponse],
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse:
        try:
            return call(request, view, *args, **kwargs)
        except ShopError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save a person; one who is shut out is signed out for good, on every device."""
        with transaction.atomic():
            staff.lock_keepers()
            super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            sign_ins.end_all(obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        staff.follow_roles([form.instance])
        staff.make_sure_somebody_owns_the_shop()

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        staff.lock_keepers()
        members.make_sure_owners_stay(obj)
        super().delete_model(request, obj)
        staff.make_sure_somebody_owns_the_shop()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for person in queryset.order_by("pk"):
                self.delete_model(request, person)

    # More that can be done ----------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path(
                "<int:object_id>/look-as/",
                view(require_POST(self.look_as_view)),
                name="accounts_user_look_as",
            ),
            path(
                "stop-looking/",
                view(require_POST(self.stop_looking_view)),
                name="accounts_user_stop_looking",
            ),
            path(
                "<int:object_id>/reset-second-factors/",
                view(require_POST(needs_recent_proof(self.reset_view))),
                name="accounts_user_reset_second_factors",
            ),
            *super().get_urls(),
        ]

    def look_as_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show the shop as a shopper sees it, for a while; see `accounts.sessions`."""
        person = self._get_person(request, object_id)
        if not may_look_as(_me(request), person):
            raise PermissionDenied
        reason = " ".join(request.POST.get("reason", "").split())
        if not reason:
            messages.error(request, _("Say why: it is kept in the trail."))
            return redirect(_page_of(person))
        answer = redirect("orders:account")
        sessions.begin(request, answer, person, reason=reason)
        return answer

    def stop_looking_view(self, request: HttpRequest) -> HttpResponse:
        person_id = sessions.get_person_id(request)
        answer = redirect(
            reverse("admin:accounts_user_change", args=[person_id])
            if person_id
            else reverse("admin:index")
        )
        sessions.end(request, answer)
        return answer

    def reset_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Take off all second factors of somebody who lost them."""
        person = self._get_person(request, object_id)
        if not self._may_reset(request, person):
            raise PermissionDenied
        reason = " ".join(request.POST.get("reason", "").split())
        if not reason:
            messages.error(request, _("Say why: it is kept in the trail."))
            return redirect(_page_of(person))
        count = second_factors.remove_all(
            person, by=_me(request), door=AuditEntry.Door.ADMIN, reason=reason
        )
        if count:
            messages.success(request, _("The second factors are taken off."))
        else:
            messages.info(request, _("There was no second factor to take off."))
        return redirect(_page_of(person))

    def _may_reset(self, request: HttpRequest, person: User) -> bool:
        me = _me(request)
        may = me.has_perm("accounts.reset_second_factor") and not get_seller_roles(request)
        return may and person.pk != me.pk and may_change_person(me, person)

    def _get_person(self, request: HttpRequest, object_id: int) -> User:
        if not self.has_view_permission(request):
            raise PermissionDenied
        person: Any = self.get_object(request, str(object_id))
        if person is None:
            raise Http404
        return person


def _me(request: HttpRequest) -> User:
    me: Any = request.user
    return me


@needs_recent_proof
def _change_with_proof(
    request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
) -> HttpResponse:
    return view(request, *args, **kwargs)


def _page_of(person: User) -> str:
    return reverse("admin:accounts_user_change", args=[person.pk])


admin.site.unregister(Group)
admin.site.unregister(EmailAddress)


@admin.register(Group)
class GroupAdmin(Signed, DjangoGroupAdmin, ModelAdmin):
    """What groups may do is the boss's to say; the shop's own roles are laid down by the code."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not get_seller_roles(request) and super().has_view_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _me(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _me(request).is_superuser and not _is_laid_down(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _me(request).is_superuser and not _is_laid_down(obj)


def _is_laid_down(group: Any) -> bool:
    return group is not None and group.name in StaffRole.values


@admin.register(EmailAddress)
class EmailAddressAdmin(ModelAdmin):
    """Addresses of people: whoever could change one could sign in as its owner."""

    list_display = ["email", "user", "primary", "verified"]
    list_filter = ["verified"]
    search_fields = ["email"]
    autocomplete_fields = ["user"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not get_seller_roles(request) and super().has_view_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _me(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _me(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _me(request).is_superuser
