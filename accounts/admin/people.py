from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import SellerMember, User
from accounts.services import sign_ins


class PersonCreationForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("email",)
        field_classes = {"email": forms.EmailField}

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class PersonChangeForm(UserChangeForm):
    class Meta:
        model = User
        fields = (
            *("email", "password", "name", "is_active", "is_staff", "is_superuser"),
            *("groups", "user_permissions"),
        )
        field_classes = {"email": forms.EmailField}

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class MembershipInline(TabularInline):
    model = SellerMember
    extra = 0
    autocomplete_fields = ["seller"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = PersonChangeForm
    add_form = PersonCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ["email"]
    list_display = ["email", "name", "is_staff", "is_active", "joined_at"]
    list_filter = ["is_staff", "is_superuser", "is_active"]
    list_filter_submit = True
    search_fields = ["email", "name"]
    readonly_fields = ["joined_at", "last_login"]
    inlines = [MembershipInline]
    fieldsets = [
        (None, {"fields": ["email", "password", "name"]}),
        (
            _("Rights"),
            {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
        (_("Dates"), {"fields": ["joined_at", "last_login"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "password1", "password2"]})]

    def save_model(self, request: Any, obj: User, form: Any, change: bool) -> None:
        """Save a person; one who is shut out is signed out for good, on every device."""
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            sign_ins.end_all(obj)

    def get_inlines(self, request: object, obj: User | None) -> list[Any]:
        return [MembershipInline] if obj else []


admin.site.unregister(Group)
admin.site.unregister(EmailAddress)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


@admin.register(EmailAddress)
class EmailAddressAdmin(ModelAdmin):
    list_display = ["email", "user", "primary", "verified"]
    list_filter = ["verified"]
    search_fields = ["email"]
    autocomplete_fields = ["user"]
