"""Changing what opens an account: who is asked again, who is told, who is signed out."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.core.internal.modelkit import deserialize_instance, serialize_instance
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as one_time_codes
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import identify_hasher
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import staff_sessions
from accounts.adapter import SocialAccountAdapter
from accounts.emails import NOTICES, render_notice
from accounts.models import User
from accounts.services import second_factors
from shop.models import KeptValue, Mail
from tests import admin_forms
from tests.factories.accounts import UserFactory
from tests.forms import submit

pytestmark = pytest.mark.django_db

EMAIL, PASSWORD, NEW = "ada@example.com", "difference engine 1842", "analytical engine 1837"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def forget_tries() -> None:
    """Let the time go by for which it is remembered how often something was tried."""
    KeptValue.objects.all().delete()


@pytest.fixture
def ada() -> User:
    return make_person()


def make_person(**fields: Any) -> User:
    person: User = UserFactory(email=EMAIL, password=PASSWORD, **fields)
    person.emailaddress_set.create(email=EMAIL, verified=True, primary=True)
    return person


def sign_in(password: str = PASSWORD, *, client: Client | None = None, path: str = "/") -> Client:
    client = client or Client()
    address = f"/accounts/login/?next={path}"
    submit(client, client.get(address), "/accounts/login/", {"login": EMAIL, "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def code_now(*, later: int = 0) -> str:
    counter = int(time.time()) // 30 + later
    return one_time_codes.format_hotp_value(one_time_codes.hotp_value(SECRET, counter))


def add_app(person: User) -> Authenticator:
    return one_time_codes.TOTP.activate(person, SECRET).instance


# Sessions ---------------------------------------------------------------------------------------


def test_the_session_has_another_id_after_signing_in(ada: User) -> None:
    client = Client()
    client.get("/accounts/login/?next=/cart/")
    client.post("/cart/add/", {"variant": 0})
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    client.cookies["sessionid"] = planted = session.session_key

    sign_in(client=client)

    assert is_in(client)
    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_a_new_password_ends_all_sessions_but_the_one_that_chose_it(ada: User) -> None:
    here, there = sign_in(), sign_in()
    page = here.get("/accounts/password/change/")

    submit(here, page, "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW})

    assert is_in(here)
    assert not is_in(there)
    assert not is_in(sign_in())
    assert is_in(sign_in(NEW))
    [mail] = Mail.objects.all()
    assert (mail.kind, mail.recipient) == ("accounts.password_changed", EMAIL)
    assert "Your password was changed" in mail.subject
    assert "127.0.0.1" in mail.text
    assert "/accounts/2fa/" in mail.html


def test_a_person_who_is_shut_out_is_out_at_once_and_stays_so(ada: User) -> None:
    inside = sign_in()
    boss = admin_forms.sign_in()
    address = admin_forms.address("accounts_user", "change", ada.pk)

    answer = admin_forms.submit(boss, address, is_active=None)

    assert answer.status_code == 302, admin_forms.errors(answer)
    ada.refresh_from_db()
    assert not ada.is_active
    assert not is_in(inside)
    User.objects.filter(pk=ada.pk).update(is_active=True)
    assert not is_in(inside)
    assert not UserSession.objects.filter(user=ada).exists()


def test_signing_out_everywhere_else_leaves_this_device(ada: User) -> None:
    here, there = sign_in(), sign_in()
    page = here.get("/accounts/sessions/")

    submit(here, page, "/accounts/sessions/")

    assert is_in(here)
    assert not is_in(there)


@pytest.mark.parametrize(
    ("passed", "is_over"),
    [
        ({"minutes": 29}, False),
        ({"minutes": 31}, True),
    ],
)
def test_staff_who_went_away_sign_in_anew(
    monkeypatch: pytest.MonkeyPatch, passed: dict[str, int], is_over: bool
) -> None:
    make_person(is_staff=True)
    client = sign_in()
    assert client.get("/admin/").status_code == 200
    let_pass(monkeypatch, **passed)

    answer = client.get("/admin/accounts/user/")

    if is_over:
        assert answer.headers["Location"] == "/accounts/login/?next=/admin/accounts/user/"
        assert not is_in(client)
    else:
        assert answer.status_code in (200, 403)


def test_staff_who_are_busy_all_day_sign_in_anew_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_person(is_staff=True)
    client = sign_in()
    for _half_hour in range(25):
        assert client.get("/admin/").status_code == 200
        let_pass(monkeypatch, minutes=29)

    assert client.get("/admin/").status_code == 302


def let_pass(monkeypatch: pytest.MonkeyPatch, **passed: int) -> None:
    former = staff_sessions.now
    monkeypatch.setattr(staff_sessions, "now", lambda: former() + timedelta(**passed))


def test_the_cookie_of_staff_ends_with_the_working_day_and_a_shoppers_does_not(ada: User) -> None:
    shopper = sign_in()
    User.objects.update(is_staff=True)
    staff = sign_in()

    assert shopper.cookies["sessionid"]["max-age"] == 30 * 24 * 3600
    assert 12 * 3600 - 60 < staff.cookies["sessionid"]["max-age"] <= 12 * 3600


# Passwords --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("sailing", "at least 8 characters"),
        ("password123", "too common"),
        ("1842184218421842", "entirely numeric"),
        ("ada@example.com", "too similar"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, fault: str) -> None:
    client = Client()
    page = client.get("/accounts/signup/")

    answer = submit(client, page, "/accounts/signup/", {"email": EMAIL, "password1": password})

    assert fault in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["abcd efg", "ü" * 64, "a phrase, " * 12 + "and no end"])
def test_a_password_may_have_eight_characters_or_many(password: str) -> None:
    client = Client()
    page = client.get("/accounts/signup/")

    submit(client, page, "/accounts/signup/", {"email": EMAIL, "password1": password})

    person = User.objects.get()
    assert person.check_password(password)
    assert not person.check_password(password[:-1])
    assert identify_hasher(person.password).algorithm == "argon2"


# A new account ----------------------------------------------------------------------------------


def sign_up(client: Client) -> Any:
    page = client.get("/accounts/signup/?next=/account/")
    typed = {"email": EMAIL, "password1": PASSWORD}
    return submit(client, page, "/accounts/signup/", typed, follow=True)


def enter_code(client: Client, page: Any, code: str) -> Any:
    return submit(client, page, "/accounts/confirm-email/", {"code": code}, follow=True)


def test_a_new_account_opens_with_the_code_from_its_mail_alone() -> None:
    client = Client()
    page = sign_up(client)

    wrong = enter_code(client, page, "000000").content.decode()
    assert "There is a problem" in wrong
    assert not is_in(client)
    enter_code(client, page, code_in_mail(EMAIL))

    assert is_in(client)
    assert User.objects.get().emailaddress_set.get().verified


def test_three_wrong_codes_end_it_and_signing_in_begins_anew() -> None:
    client = Client()
    page = sign_up(client)
    right = code_in_mail(EMAIL)

    for _try in range(2):
        enter_code(client, page, "000000")
    ended = enter_code(client, page, "000000")

    assert ended.redirect_chain[-1][0] == "/accounts/login/"
    assert client.get("/accounts/confirm-email/").status_code == 302
    forget_tries()
    sign_in(client=client)
    page = client.get("/accounts/confirm-email/")
    assert code_in_mail(EMAIL) != right
    enter_code(client, page, code_in_mail(EMAIL))
    assert is_in(client)


def test_a_code_is_too_old_after_a_quarter_of_an_hour() -> None:
    client = Client()
    page = sign_up(client)
    session = client.session
    session["account_email_verification_code"]["at"] -= 15 * 60 + 1
    session.save()

    answer = enter_code(client, page, code_in_mail(EMAIL))

    assert answer.redirect_chain[-1][0] == "/accounts/login/"
    assert not is_in(client)


def test_a_code_is_sent_again_twice_and_the_last_one_counts() -> None:
    client = Client()
    page = sign_up(client)
    codes = [code_in_mail(EMAIL)]
    for _time in range(2):
        forget_tries()  # A code is sent at most every ten seconds.
        assert "Send a new code" in page.content.decode()
        page = client.post("/accounts/confirm-email/", {"action": "resend"}, follow=True)
        codes.append(code_in_mail(EMAIL))

    assert len(set(codes)) == 3
    assert "Send a new code" not in page.content.decode()
    page = enter_code(client, page, codes[0])
    assert not is_in(client)
    enter_code(client, page, codes[-1])
    assert is_in(client)


# Forgotten password -----------------------------------------------------------------------------


def link_in_mail() -> str:
    mail = Mail.objects.get(kind="account.email.password_reset_key")
    found = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", mail.text)
    assert found
    return found[1]


def reset_password(client: Client) -> None:
    page = client.get("/accounts/password/reset/")
    submit(client, page, "/accounts/password/reset/", {"email": EMAIL})
    page = client.get(link_in_mail(), follow=True)
    [(address, _status)] = page.redirect_chain
    submit(client, page, address, {"password1": NEW})


def test_a_forgotten_password_is_chosen_anew_and_the_link_works_once(ada: User) -> None:
    inside, client = sign_in(), Client()

    reset_password(client)

    assert not is_in(client)
    assert not is_in(inside)
    assert is_in(sign_in(NEW))
    again = Client().get(link_in_mail(), follow=True).content.decode()
    assert "This link does not work any more" in again
    assert Mail.objects.filter(kind="accounts.password_reset", recipient=EMAIL).count() == 1


def test_a_new_password_does_not_get_past_the_second_factor(ada: User) -> None:
    add_app(ada)
    client = Client()

    reset_password(client)
    sign_in(NEW, client=client)

    assert not is_in(client)
    assert Authenticator.objects.filter(user=ada, type="totp").exists()
    page = client.get("/accounts/2fa/authenticate/")
    submit(client, page, "/accounts/2fa/authenticate/", {"code": code_now()})
    assert is_in(client)


# Second factors ---------------------------------------------------------------------------------


def test_a_code_counts_once_even_if_the_cache_forgets(ada: User) -> None:
    add_app(ada)

    assert second_factors.take_code(ada, code_now())
    forget_tries()

    assert second_factors.take_code(ada, code_now()) is None
    assert second_factors.take_code(ada, code_now(later=-1)) is None
    assert second_factors.take_code(ada, code_now(later=1))
    assert second_factors.take_code(ada, code_now(later=2)) is None


def test_a_code_counts_while_the_cache_is_away(ada: User, settings: Any) -> None:
    add_app(ada)
    settings.CACHES = {
        "default": {"BACKEND": "shop.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    client = sign_in()
    page = client.get("/accounts/2fa/authenticate/")

    submit(client, page, "/accounts/2fa/authenticate/", {"code": code_now()})

    assert is_in(client)


def test_a_code_may_be_typed_as_the_app_shows_it(ada: User) -> None:
    add_app(ada)
    code = code_now()

    assert second_factors.take_code(ada, f"{code[:3]} {code[3:]}")


def test_a_recovery_code_counts_once(ada: User) -> None:
    add_app(ada)
    first, second, *_others = RecoveryCodes.activate(ada).generate_codes()

    assert second_factors.take_code(ada, first)
    assert second_factors.take_code(ada, first) is None
    assert second_factors.take_code(ada, second)


def test_codes_cannot_be_tried_without_end(ada: User) -> None:
    add_app(ada)
    client = sign_in()
    page = client.get("/accounts/2fa/authenticate/")

    for _try in range(5):
        submit(client, page, "/accounts/2fa/authenticate/", {"code": "000000"})
    answer = submit(client, page, "/accounts/2fa/authenticate/", {"code": code_now()})

    assert "Too many" in answer.content.decode()
    assert not is_in(client)


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/2fa/recovery-codes/generate/",
    ],
)
def test_whoever_changes_a_key_says_once_more_who_they_are(ada: User, address: str) -> None:
    client = Client()
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")

    answer = client.get(address)

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/")
    assert "reauthenticate" in answer.headers["Location"]


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("/accounts/email/", {"email": "eve@example.com", "action_add": ""}),
        ("/accounts/2fa/totp/deactivate/", {}),
    ],
)
def test_no_form_changes_a_key_before_that(ada: User, address: str, typed: dict[str, str]) -> None:
    add_app(ada)
    client = Client()
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")

    answer = client.post(address, typed)

    assert answer.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert Authenticator.objects.filter(user=ada).exists()
    assert not Mail.objects.exists()


def test_changing_the_password_needs_the_former_one(ada: User) -> None:
    client = sign_in()
    page = client.get("/accounts/password/change/")

    answer = submit(
        client, page, "/accounts/password/change/", {"oldpassword": NEW, "password1": NEW}
    )

    assert "field__error" in answer.content.decode()
    assert is_in(sign_in())


# Email addresses --------------------------------------------------------------------------------


def code_in_mail(email: str) -> str:
    mail = Mail.objects.filter(recipient=email, kind__startswith="account.email").latest("pk")
    found = re.search(r"\b[A-Z0-9]{3,4}-?[A-Z0-9]{3,4}\b", mail.text.partition("browser:")[2])
    assert found, mail.text
    return found[0]


def say_once_more(client: Client, answer: Any, **typed: str) -> Any:
    """Answer the question who one is, which an answer led to, and go on."""
    address = answer.headers["Location"]
    page = client.get(address)
    return submit(client, page, address.partition("?")[0], typed, follow=True)


def test_an_email_is_changed_with_a_code_and_the_former_one_is_told(ada: User) -> None:
    add_app(ada)  # Who has a second factor changes the email as others do.
    client = sign_in()
    page = client.get("/accounts/2fa/authenticate/")
    submit(client, page, "/accounts/2fa/authenticate/", {"code": code_now()})
    new = "countess@example.com"

    asked = client.post("/accounts/email/", {"email": new, "action_add": ""})
    page = say_once_more(client, asked, password=PASSWORD)
    assert not ada.emailaddress_set.filter(email=new).exists()
    submit(client, page, "/accounts/confirm-email/", {"code": code_in_mail(new)})
    client.post("/accounts/email/", {"email": new, "action_primary": ""})
    client.post("/accounts/email/", {"email": EMAIL, "action_remove": ""})

    ada.refresh_from_db()
    assert ada.email == new
    assert list(ada.emailaddress_set.values_list("email", flat=True)) == [new]
    told = Mail.objects.filter(kind__startswith="accounts.").order_by("pk")
    assert [(mail.kind, mail.recipient) for mail in told] == [
        ("accounts.email_added", EMAIL),
        ("accounts.email_changed", EMAIL),
        ("accounts.email_deleted", new),
    ]


def test_an_email_of_somebody_else_is_not_told_apart_and_cannot_be_taken(ada: User) -> None:
    UserFactory(email="eve@example.com", password=PASSWORD).emailaddress_set.create(
        email="eve@example.com", verified=True, primary=True
    )
    client = sign_in()

    asked = client.post("/accounts/email/", {"email": "eve@example.com", "action_add": ""})
    page = say_once_more(client, asked, password=PASSWORD)

    assert page.redirect_chain[-1][0] == "/accounts/confirm-email/"
    answer = submit(
        client, page, "/accounts/confirm-email/", {"code": code_in_mail("eve@example.com")}
    )
    assert answer.status_code < 500
    assert not ada.emailaddress_set.filter(email="eve@example.com").exists()


@pytest.mark.parametrize("kind", NOTICES)
def test_every_notice_reads_well(kind: str) -> None:
    facts = {
        "added_email": "b@example.com", "from_email": "a@example.com", "to_email": "b@example.com",
        "deleted_email": "a@example.com", "provider": "Guild",
    }  # fmt: skip

    mail = render_notice(kind, ip="203.0.113.7", user_agent="Firefox/140 (Windows)", **facts)

    assert mail.subject
    assert "%(" not in mail.text + mail.html
    assert "Firefox on Windows · 203.0.113.7" in mail.text


# Accounts elsewhere -----------------------------------------------------------------------------


def test_a_stranger_from_another_house_can_wait_in_the_session() -> None:
    account = SocialAccount(provider="openid_connect", uid="ada", extra_data={})
    login = SocialLogin(user=User(), account=account, email_addresses=[])

    SocialAccountAdapter().populate_user(None, login, {"first_name": "Ada", "last_name": "L."})

    kept = json.loads(json.dumps(serialize_instance(login.user)))
    assert kept["name"] == "Ada L."
    between = login.user.joined_at - deserialize_instance(User, kept).joined_at
    assert between < timedelta(milliseconds=1)


# Pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/accounts/2fa/", "/accounts/2fa/webauthn/", "/accounts/email/"]
)
def test_a_page_about_keys_asks_as_often_however_many_there_are(
    ada: User, address: str, django_assert_max_num_queries: Any
) -> None:
    def count() -> int:
        with django_assert_max_num_queries(9) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    client = sign_in()
    add_passkey(ada, 1)
    client.get(address)
    few = count()
    for number in range(2, 5):
        add_passkey(ada, number)
        ada.emailaddress_set.create(email=f"{number}-{EMAIL}", verified=True)

    assert count() == few


def add_passkey(person: User, number: int) -> None:
    data = {"name": f"Key {number}", "credential": {}}
    Authenticator.objects.create(user=person, type="webauthn", data=data)


# Staff ------------------------------------------------------------------------------------------


def test_the_admin_has_no_door_of_its_own() -> None:
    make_person(is_staff=True)
    client = Client()

    answer = client.post("/admin/login/", {"username": EMAIL, "password": PASSWORD})

    assert answer.headers["Location"].startswith("/accounts/login/?next=")
    assert "_auth_user_id" not in client.session


def test_staff_with_a_second_factor_are_asked_for_it_on_the_way_to_the_admin() -> None:
    add_app(make_person(is_staff=True))
    client = sign_in(path="/admin/")

    assert client.get("/admin/").status_code == 302
    page = client.get("/accounts/2fa/authenticate/")
    answer = submit(client, page, "/accounts/2fa/authenticate/", {"code": code_now()})

    assert answer.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert 0 < client.session.get_expiry_age() <= 12 * 3600


# The way back -----------------------------------------------------------------------------------


def test_the_owner_of_the_shop_takes_lost_factors_off_by_command(ada: User) -> None:
    add_app(ada)
    inside = sign_in()
    page = inside.get("/accounts/2fa/authenticate/")
    submit(inside, page, "/accounts/2fa/authenticate/", {"code": code_now()})
    assert is_in(inside)
    said = StringIO()

    call_command("reset_second_factor", EMAIL.upper(), "--yes", stdout=said)

    assert "had one second factor" in said.getvalue()
    assert not Authenticator.objects.filter(user=ada).exists()
    assert not is_in(inside)
    assert is_in(sign_in())
    assert Mail.objects.get(kind="accounts.second_factor_reset").recipient == EMAIL


def test_the_command_names_a_person_it_does_not_know() -> None:
    with pytest.raises(CommandError, match=r"Nobody signs in with eve@example\.com"):
        call_command("reset_second_factor", "eve@example.com", "--yes")


def test_a_reset_link_is_long_enough_not_to_be_guessed(ada: User) -> None:
    digest = default_token_generator.make_token(ada).partition("-")[2]

    assert len(digest) * 4 >= 128
