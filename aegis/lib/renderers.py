"""REST framework's browsable API under the content policy of the site, which lets no style stand inside a page."""

from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer


class SitePages(BrowsableAPIRenderer):
    """The browsable API without its inline styles: the colours of examples, and the button that opens the filters."""

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What its template prints."""
        return super().get_context(*args, **kwargs) | {"code_style": "", "filter_form": None}
