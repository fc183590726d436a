from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from accounts.admin.signing import Signed
from cart.models import ShippingBand, ShippingMethod, ShippingZone
from shop.admin.countries import country_choices
from shop.money import Money
from shop.templatetags.money import money


class ShippingZoneForm(forms.ModelForm):
    countries = forms.MultipleChoiceField(
        label=gettext_lazy("countries"),
        choices=country_choices,
        widget=UnfoldAdminSelect2MultipleWidget,
    )

    class Meta:
        model = ShippingZone
        fields = ("name", "countries")

    def clean_countries(self) -> list[str]:
        countries = sorted(self.cleaned_data["countries"])
        other = (
            ShippingZone.objects.filter(countries__overlap=countries)
            .exclude(pk=self.instance.pk)
            .first()
        )
        if other:
            shared = ", ".join(sorted(set(countries) & set(other.countries)))
            raise forms.ValidationError(
                _("%(zone)s delivers there already: %(countries)s.")
                % {"zone": other.name, "countries": shared}
            )
        return countries


class MethodInline(TabularInline):
    model = ShippingMethod
    extra = 0
    fields = ["name", "code", "kind", "tax_class", "is_active", "position"]
    show_change_link = True


class BandFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        rows = [form.cleaned_data for form in self.forms if form.is_valid() and form.cleaned_data]
        starts = [row["minimum"] for row in rows if not row.get("DELETE")]
        if not any(self.errors) and 0 not in starts:
            raise forms.ValidationError(
                _("One band must begin at 0, or small parcels would have no price.")
            )


class BandInline(TabularInline):
    model = ShippingBand
    formset = BandFormSet
    extra = 0
    min_num = 1


@admin.register(ShippingZone)
class ShippingZoneAdmin(Signed, ModelAdmin):
    form = ShippingZoneForm
    list_display = ["name", "country_codes"]
    inlines = [MethodInline]

    @admin.display(description=gettext_lazy("countries"))
    def country_codes(self, zone: ShippingZone) -> str:
        return ", ".join(zone.countries)


@admin.register(ShippingMethod)
class ShippingMethodAdmin(Signed, ModelAdmin):
    list_display = ["name", "zone", "kind", "prices", "days", "is_active"]
    list_filter = ["zone", "is_active"]
    list_select_related = ["zone"]
    inlines = [BandInline]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("bands")

    @admin.display(description=gettext_lazy("prices"))
    def prices(self, method: ShippingMethod) -> str:
        return "; ".join(
            f"{band.minimum:f}".rstrip("0").rstrip(".")
            + ": "
            + (
                _("not offered")
                if band.price is None
                else money(Money(band.price, settings.SHOP_CURRENCY))
            )
            for band in method.bands.all()
        )

    @admin.display(description=gettext_lazy("days"))
    def days(self, method: ShippingMethod) -> str:
        return f"{method.days_min}–{method.days_max}"
