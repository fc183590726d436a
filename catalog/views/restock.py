"""Back in stock: asking on a product's page, and the page behind the links of the mails."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.access import read_restock_key
from catalog.forms import RestockForm
from catalog.queries.restock import find_wanted, get_restock_page
from catalog.services import restock
from catalog.views.limits import may_send
from shop.errors import ShopError
from shop.requests import HtmxRequest
from shop.services.limits import Verdict
from shop.views.limited import mark
from shop.views.same_origin import same_origin_required


@require_POST
@same_origin_required
def ask(request: HtmxRequest) -> HttpResponse:
    """Take an address to write to; the answer is the same whether it is known or not."""
    form = RestockForm(request.POST)
    verdict = Verdict(is_allowed=True)
    if form.is_valid():
        verdict = may_send(request, form, action="restock")
    if not form.errors:
        try:
            restock.ask(
                form.cleaned_data["variant"],
                email=form.cleaned_data["email"],
                language=get_language() or "",
            )
        except ShopError as refusal:
            form.add_error(None, str(refusal))
    is_sent = not form.errors
    if is_sent and not request.htmx:
        return redirect("catalog:restock_sent")
    context = {"form": form, "is_sent": is_sent, "variant_id": form.data.get("variant", "")}
    if request.htmx:
        return render(request, "components/restock.html", context)
    wanted = form.cleaned_data.get("variant")
    answer = render(
        request,
        "catalog/restock_ask.html",
        context | {"variant": find_wanted(wanted) if wanted else None},
    )
    return answer if verdict.is_allowed else mark(answer, verdict)


@require_safe
@never_cache
def sent(request: HttpRequest) -> HttpResponse:
    """Say that a mail is on its way, to somebody without scripts."""
    return render(request, "catalog/restock_sent.html")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def manage(request: HttpRequest, key: str) -> HttpResponse:
    """Confirm, or take back, by the link of a mail; looking at it alone changes nothing.

    Programs that look through mails open every link.
    """
    request_id = read_restock_key(key)
    if request.method == "POST" and request_id:
        if request.POST.get("action") == "forget":
            restock.forget(request_id)
        else:
            restock.confirm(request_id)
        return redirect("catalog:restock_manage", key)
    page = get_restock_page(request_id)
    return render(request, "catalog/restock.html", {"page": page})
