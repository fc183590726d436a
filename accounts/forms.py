"""allauth's forms, whose empty fields say how to mend them, and those about one's own data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account import forms
from allauth.mfa.base import forms as factor_forms
from allauth.mfa.totp import forms as app_forms
from allauth.mfa.webauthn import forms as passkey_forms
from allauth.socialaccount import forms as social_forms
from django.core.exceptions import ValidationError
from django.forms import BooleanField, CharField, EmailInput, Form, HiddenInput
from django.utils.translation import gettext_lazy as _

MISSING = {
    "login": _("Enter your email."),
    "email": _("Enter your email."),
    "password": _("Enter your password."),
    "password1": _("Choose a password."),
    "code": _("Enter the code from the mail."),
}
APP_CODE = _("Enter the six digits that your app shows.")


class _SaysWhatIsMissing:
    fields: dict[str, Any]
    missing: Mapping[str, Any] = MISSING

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.missing.keys() & self.fields.keys():
            self.fields[name].error_messages["required"] = self.missing[name]


# allauth is untyped, so mypy takes its forms for Any.
class SignInForm(_SaysWhatIsMissing, forms.LoginForm):  # type: ignore[misc]
    pass


class SignUpForm(_SaysWhatIsMissing, forms.SignupForm):  # type: ignore[misc]
    pass


class ResetForm(_SaysWhatIsMissing, forms.ResetPasswordForm):  # type: ignore[misc]
    pass


class ConfirmCodeForm(_SaysWhatIsMissing, forms.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(_SaysWhatIsMissing, forms.ReauthenticateForm):  # type: ignore[misc]
    pass


class _AsksForAppCode(_SaysWhatIsMissing):
    missing = {"code": APP_CODE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A code from the app has digits alone; one of the recovery codes has, too.
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "placeholder": ""}


class SecondFactorForm(_AsksForAppCode, factor_forms.AuthenticateForm):  # type: ignore[misc]
    pass


class ConfirmSecondFactorForm(_AsksForAppCode, factor_forms.ReauthenticateForm):  # type: ignore[misc]
    pass


class ActivateAppForm(_AsksForAppCode, app_forms.ActivateTOTPForm):  # type: ignore[misc]
    pass


class AddPasskeyForm(passkey_forms.AddWebAuthnForm):  # type: ignore[misc]
    """Every key added here is a passkey: it knows its owner by finger, face or PIN."""

    passwordless = BooleanField(required=False, initial=True, widget=HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
        self.fields["name"].max_length = self.fields["name"].widget.attrs["maxlength"] = 60


class RenamePasskeyForm(passkey_forms.EditWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        name.label, name.error_messages["required"] = _("Name"), _("Give the passkey a name.")
        name.max_length = name.widget.attrs["maxlength"] = 60


class SocialSignUpForm(_SaysWhatIsMissing, social_forms.SignupForm):  # type: ignore[misc]
    pass


class EraseForm(Form):
    """Who erases their account types its address, so that no slip of the finger does it."""

    email = CharField(
        label=_("Your email, to be sure"),
        max_length=254,
        error_messages={"required": _("Type the email of your account.")},
        widget=EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = email
        self.fields["email"].help_text = _("Type %(email)s") % {"email": email}

    def clean_email(self) -> str:
        typed: str = self.cleaned_data["email"].strip()
        if typed.lower() != self.expected.lower():
            raise ValidationError(_("This is not the email of your account."))
        return typed
