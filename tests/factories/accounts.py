from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from accounts.models import Seller, SellerMember, User


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person-{n}@example.com")
    password = factory.django.Password("a long enough password")


class StaffFactory(UserFactory):
    is_staff = True


class SellerFactory(DjangoModelFactory[Seller]):
    class Meta:
        model = Seller

    slug = factory.Sequence(lambda n: f"seller-{n}")
    name = factory.Sequence(lambda n: f"Seller {n}")
    country = "DE"


class SellerMemberFactory(DjangoModelFactory[SellerMember]):
    class Meta:
        model = SellerMember

    seller = factory.SubFactory(SellerFactory)
    user = factory.SubFactory(StaffFactory)
