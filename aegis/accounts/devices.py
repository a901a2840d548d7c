"""What a browser calls itself, in the words of its user."""

from typing import Final

# The first that stands in the text wins: Edge and Opera also say Chrome, Chrome also says Safari, Android also says Linux.
BROWSERS: Final = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS: Final = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iOS",
    "iPad": "iPadOS",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def device_name(user_agent: str) -> str:
    """ "Firefox on Linux"; of a program that is no browser, its first word; "Unknown device" if it says nothing."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    if browser or system:
        return " on ".join(filter(None, [browser or "A browser", system]))
    return user_agent.split(maxsplit=1)[0][:60] if user_agent.strip() else "Unknown device"
