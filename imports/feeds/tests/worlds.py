"""Made-up feeds."""

from html import escape


def item(title: str, link: str = "", text: str = "", *, guid: str = "", date: str = "") -> str:
    """One RSS item; `title` and `text` are HTML, and are escaped as publishers do."""
    parts = {"title": escape(title), "link": escape(link), "description": escape(text), "guid": guid, "pubDate": date}
    return "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in parts.items() if value) + "</item>"


def rss(*items: str, declaration: str = '<?xml version="1.0"?>') -> bytes:
    """An RSS 2.0 feed."""
    return f'{declaration}<rss version="2.0"><channel><title>A feed</title>{"".join(items)}</channel></rss>'.encode()


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><rss><channel><item><title>&j;</title></item></channel></rss>"
)
