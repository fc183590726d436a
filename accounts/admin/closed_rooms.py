"""Rooms of allauth's that nobody enters: they would show secrets, or let them be typed in.

Second factors and sessions are their owner's; keys of other houses are settings.
"""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin

CLOSED = (Authenticator, UserSession, SocialAccount, SocialApp, SocialToken)

for model in CLOSED:
    if admin.site.is_registered(model):
        admin.site.unregister(model)
