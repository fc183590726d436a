"""allauth's forms, whose empty fields say how to mend them."""

from __future__ import annotations

from typing import Any

from allauth.account import forms
from django.utils.translation import gettext_lazy as _

MISSING = {
    "login": _("Enter your email."),
    "email": _("Enter your email."),
    "password": _("Enter your password."),
    "password1": _("Choose a password."),
    "code": _("Enter the code from the mail."),
}


class _SaysWhatIsMissing:
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in MISSING.keys() & self.fields.keys():
            self.fields[name].error_messages["required"] = MISSING[name]


# allauth is untyped, so mypy takes its forms for Any.
class SignInForm(_SaysWhatIsMissing, forms.LoginForm):  # type: ignore[misc]
    pass


class SignUpForm(_SaysWhatIsMissing, forms.SignupForm):  # type: ignore[misc]
    pass


class ResetForm(_SaysWhatIsMissing, forms.ResetPasswordForm):  # type: ignore[misc]
    pass


class ConfirmCodeForm(_SaysWhatIsMissing, forms.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    pass
