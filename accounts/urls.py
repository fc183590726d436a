from django.urls import path

from accounts.views import cookies, privacy

app_name = "accounts"
urlpatterns = [
    path("account/privacy/", privacy.overview, name="privacy"),
    path("account/privacy/copy/", privacy.ask_for_copy, name="ask_for_copy"),
    path("account/privacy/copies/<int:copy_id>/", privacy.download, name="data_copy"),
    path("account/privacy/erase/", privacy.erase, name="erase"),
    path("account/erased/", privacy.erased, name="erased"),
    path("cookies/", cookies.overview, name="cookies"),
]
