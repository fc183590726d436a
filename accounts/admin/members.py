"""Who works for a seller: its owners say so here, as does whoever may in the shop."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget

from accounts.admin.scoping import SellerScopedAdmin
from accounts.models import SellerMember
from accounts.requests import needs_recent_proof
from accounts.roles import Right
from accounts.services import members
from shop.errors import ShopError


class NewMemberForm(forms.ModelForm):
    """A person is named by their address alone, so that nobody looks through who has an account."""

    email = forms.EmailField(
        label=_("Email"),
        help_text=_("They get a mail. Whoever has no account yet chooses a password first."),
        widget=UnfoldAdminEmailInputWidget,
    )

    class Meta:
        model = SellerMember
        fields = ("seller", "role")


class RoleForm(forms.ModelForm):
    class Meta:
        model = SellerMember
        fields = ("role",)


@admin.register(SellerMember)
class SellerMemberAdmin(SellerScopedAdmin):
    """Saved and deleted by the services alone, which keep one owner and refuse the rest."""

    look_right = change_right = Right.MANAGE_MEMBERS
    list_display = ["address", "seller", "role"]
    list_select_related = ["seller", "user"]
    list_filter = ["role"]
    search_fields = ["user__email"]
    ordering = ["seller__name", "user__email"]
    # One by one: each is asked about its seller's last owner.
    actions = None

    @admin.display(description=_("email"), ordering="user__email")
    def address(self, member: SellerMember) -> str:
        return member.user.email

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_form(request, obj, form=RoleForm if obj else NewMemberForm, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["seller", "address", "role"] if obj else ["seller", "email", "role"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["seller", "address"] if obj else []

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _change(super().changeform_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _change(super().delete_view, request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: SellerMember, form: Any, change: bool) -> None:
        actor: Any = request.user
        if change:
            members.change_role(obj, form.cleaned_data["role"], by=actor)
            return
        given = form.cleaned_data
        member = members.add(given["seller"], given["email"], given["role"], by=actor)
        obj.pk, obj.user = member.pk, member.user

    def delete_model(self, request: HttpRequest, obj: SellerMember) -> None:
        actor: Any = request.user
        members.remove(obj, by=actor)


@needs_recent_proof
def _change(view: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except ShopError as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(request.get_full_path())
