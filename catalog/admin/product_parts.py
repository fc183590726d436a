"""The parts of a product, edited on its page: pictures, options, variants, facts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import StackedInline, TabularInline
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.admin.scoping import SellerRights, get_seller_roles
from accounts.roles import Right, has_right
from catalog import facts
from catalog.admin.uploads import UploadForm, bind_uploads
from catalog.models import (
    Attribute,
    AttributeValue,
    Option,
    OptionValue,
    Product,
    ProductImage,
    ProductRelation,
    ProductVariant,
)
from catalog.services import assortment
from shop.money import quantize

LONGEST_LABEL = 80


class ProductImageForm(UploadForm):
    class Meta:
        model = ProductImage
        fields = ("alt", "position")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.uploaded:
            self.instance.asset = self.uploaded
        elif self.instance._state.adding and "upload" not in self.errors:
            self.add_error("upload", _("Choose a picture."))
        return cleaned


class ProductImageInline(SellerRights, TabularInline):
    model = ProductImage
    hide_title = True
    form = ProductImageForm
    fields = ["preview", "upload", "alt", "position"]
    readonly_fields = ["preview"]
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, form=bind_uploads(self.form, request), **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("asset")

    @admin.display(description=gettext_lazy("Picture"))
    def preview(self, image: ProductImage) -> SafeString | str:
        if image._state.adding:
            return ""
        return format_html('<img src="{}" alt="" width="64" height="80">', image.asset.original.url)


class OptionForm(forms.ModelForm):
    """An axis with its values in one field, one on a line, each with an optional colour."""

    choices = forms.CharField(
        label=gettext_lazy("Values"),
        help_text=gettext_lazy("One on a line; a colour may follow: Moss #7b7f63"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )

    class Meta:
        model = Option
        fields = ("name", "position")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "choices" in self.fields:
            values = self.instance.values.all()
            lines = [f"{value.label} {value.swatch}".strip() for value in values]
            self.fields["choices"].initial = "\n".join(lines)

    def clean_choices(self) -> list[tuple[str, str]]:
        """Read each line as a label and a colour."""
        choices: dict[str, str] = {}
        for line in self.cleaned_data["choices"].splitlines():
            label, _space, last = line.strip().rpartition(" ")
            if not assortment.SWATCH.fullmatch(last) or not label:
                label, last = line.strip(), ""
            if len(label) > LONGEST_LABEL:
                raise forms.ValidationError(_("A value has 80 characters at most."))
            if label:
                choices[label.strip()] = last.lower()
        return list(choices.items())


class OptionInline(SellerRights, TabularInline):
    model = Option
    hide_title = True
    form = OptionForm
    fields = ["name", "choices", "position"]
    extra = 0


class VariantFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        """Refuse two variants with the same values, and two values of one option."""
        super().clean()
        seen: set[frozenset[int]] = set()
        for form in self.forms:
            if not form.is_valid() or not form.cleaned_data or form.cleaned_data.get("DELETE"):
                continue
            values = list(form.cleaned_data.get("option_values") or [])
            if len({value.option_id for value in values}) < len(values):
                form.add_error("option_values", _("Choose one value of each option."))
            chosen = frozenset(value.pk for value in values)
            if chosen in seen and form.cleaned_data.get("is_active"):
                form.add_error(None, _("Another variant has the same options."))
            if form.cleaned_data.get("is_active"):
                seen.add(chosen)


class VariantForm(forms.ModelForm):
    class Meta:
        model = ProductVariant
        fields = (
            *("sku", "barcode", "position", "price", "compare_at_price", "cost", "weight_grams"),
            *("is_active", "tracks_stock", "low_stock_at", "option_values", "image"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show amounts as the currency writes them, without the column's spare places."""
        super().__init__(*args, **kwargs)
        for name in ("price", "compare_at_price", "cost"):
            if (amount := self.initial.get(name)) is not None:
                self.initial[name] = quantize(amount, settings.SHOP_CURRENCY)

    def clean_sku(self) -> str:
        return self.cleaned_data["sku"].strip()


class VariantInline(SellerRights, StackedInline):
    model = ProductVariant
    form = VariantForm
    formset = VariantFormSet
    fields = [
        ("sku", "barcode", "position"),
        ("price", "compare_at_price", "cost"),
        ("weight_grams", "is_active", "tracks_stock"),
        "low_stock_at",
        "option_values",
        "image",
    ]
    extra = 0
    tab = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("option_values")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what it costs for whoever only packs at the product's seller."""
        role = get_seller_roles(request).get(obj.seller_id) if obj else None
        if role is None or has_right(role, Right.SEE_MONEY):
            return self.fields
        money = ("price", "compare_at_price", "cost")
        return [field for field in self.fields if not {*field} & {*money}]

    def get_formset(self, request: HttpRequest, obj: Product | None = None, **kwargs: Any) -> Any:
        self.values = OptionValue.objects.filter(option__product=obj).select_related("option")
        self.pictures = ProductImage.objects.filter(product=obj)
        return super().get_formset(request, obj, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        return forms.ModelMultipleChoiceField(
            label=gettext_lazy("Options"),
            queryset=self.values,
            required=False,
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
            help_text=gettext_lazy("One value of each option. Save new options first."),
        )

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "image":
            kwargs["queryset"] = self.pictures
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Variants are taken off sale, not deleted: their ledger is the shop's memory."""
        return False


class FactForm(forms.ModelForm):
    """One value of one attribute, typed in words."""

    value = forms.CharField(
        label=gettext_lazy("Value"), max_length=250, widget=UnfoldAdminTextInputWidget
    )

    class Meta:
        model = AttributeValue
        fields = ("attribute",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "value" in self.fields:
            self.fields["value"].initial = facts.write(self.instance)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        attribute: Attribute | None = cleaned.get("attribute")
        if attribute and cleaned.get("value"):
            found = facts.read([cleaned["value"]], kind=attribute.kind, unit=attribute.unit)
            if len(found) != 1:
                self.add_error("value", _("Give one value on each row."))
            elif attribute.kind == Attribute.Kind.NUMBER and found[0].number is None:
                example = f"12.5 {attribute.unit}".strip()
                self.add_error(
                    "value", _("Write a number, such as %(example)s.") % {"example": example}
                )
            elif attribute.kind == Attribute.Kind.BOOLEAN and found[0].boolean is None:
                self.add_error("value", _("Write yes or no."))
            else:
                self._take(found[0])
        return cleaned

    def _take(self, fact: facts.Fact) -> None:
        self.instance.text, self.instance.number = fact.text, fact.number
        self.instance.boolean, self.instance.facet = fact.boolean, fact.facet


class FactFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        seen: set[tuple[int, str]] = set()
        for form in self.forms:
            if not form.is_valid() or not form.cleaned_data or form.cleaned_data.get("DELETE"):
                continue
            key = (form.instance.attribute_id, form.instance.facet)
            if key in seen:
                form.add_error("value", _("The product states this already."))
            seen.add(key)


class FactInline(SellerRights, TabularInline):
    model = AttributeValue
    hide_title = True
    form = FactForm
    formset = FactFormSet
    fields = ["attribute", "value"]
    verbose_name = gettext_lazy("fact")
    verbose_name_plural = gettext_lazy("facts")
    extra = 0


class RelatedInline(SellerRights, TabularInline):
    """What is recommended beside a product; a seller's people recommend what is their own."""

    model = ProductRelation
    fk_name = "product"
    hide_title = True
    autocomplete_fields = ["other"]
    fields = ["other", "position"]
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Product | None = None, **kwargs: Any) -> Any:
        self.others = Product.objects.all()
        if roles := get_seller_roles(request):
            recommended = ProductRelation.objects.filter(product=obj).values("other")
            self.others = Product.objects.filter(Q(seller__in=roles) | Q(pk__in=recommended))
        return super().get_formset(request, obj, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "other":
            kwargs["queryset"] = self.others
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
