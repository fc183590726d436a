"""allauth's forms, whose empty fields say how to mend them, and those about one's own data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account import forms
from allauth.mfa.adapter import get_adapter as get_factor_adapter
from allauth.mfa.base import forms as factor_forms
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as app_forms
from allauth.mfa.webauthn import forms as passkey_forms
from allauth.socialaccount import forms as social_forms
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.forms import BooleanField, CharField, EmailInput, Form, HiddenInput
from django.utils.translation import gettext_lazy as _

from accounts import staff_sessions
from accounts.services import second_factors

MISSING = {
    "login": _("Enter your email."),
    "email": _("Enter your email."),
    "password": _("Enter your password."),
    "oldpassword": _("Enter your password."),
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
    def login(self, request: Any, redirect_url: str | None = None) -> Any:
        """Sign in; allauth gives every session a month, and staff have less."""
        answer = super().login(request, redirect_url)
        staff_sessions.limit(request)
        return answer


class SignUpForm(_SaysWhatIsMissing, forms.SignupForm):  # type: ignore[misc]
    def try_save(self, request: Any) -> Any:
        """Take as long for an address that has an account as for a new one, whose password is hashed."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)


class ResetForm(_SaysWhatIsMissing, forms.ResetPasswordForm):  # type: ignore[misc]
    pass


class AddEmailForm(_SaysWhatIsMissing, forms.AddEmailForm):  # type: ignore[misc]
    pass


class _OnePassword(_SaysWhatIsMissing):
    """A new password is typed once, where it can be looked at."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]
        self.fields["password1"].label = _("New password")
        if "oldpassword" in self.fields:
            self.fields["oldpassword"].label = _("Current password")


class ChangePasswordForm(_OnePassword, forms.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(_OnePassword, forms.SetPasswordForm):  # type: ignore[misc]
    pass


class ChooseNewPasswordForm(_OnePassword, forms.ResetPasswordKeyForm):  # type: ignore[misc]
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


class _TakesCode(_AsksForAppCode):
    """A code counts once, whether or not the cache is there to remember it."""

    user: Any
    cleaned_data: dict[str, Any]
    _emit_authentication_failed: Any

    def clean_code(self) -> str:
        forget_try = check_rate_limit(self.user)
        code: str = self.cleaned_data["code"]
        factor = second_factors.take_code(self.user, code)
        if factor is None:
            main = Authenticator.objects.filter(user=self.user).order_by("-type").first()
            self._emit_authentication_failed(main)
            raise get_factor_adapter().validation_error("incorrect_code")
        factor.user, self.authenticator = self.user, factor
        forget_try()
        return code


class SecondFactorForm(_TakesCode, factor_forms.AuthenticateForm):  # type: ignore[misc]
    pass


class ConfirmSecondFactorForm(_TakesCode, factor_forms.ReauthenticateForm):  # type: ignore[misc]
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
