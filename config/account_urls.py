"""Addresses of signing in, below `/accounts/`: allauth's own, without those that only lead on."""

from __future__ import annotations

from allauth.urls import build_provider_urlpatterns
from django.urls import include, path

urlpatterns = [
    path("", include("allauth.account.urls")),
    path("2fa/", include("allauth.mfa.urls")),
    path("3rdparty/", include("allauth.socialaccount.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
    *build_provider_urlpatterns(),
]
