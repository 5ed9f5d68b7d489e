"""Widgets for notebooks: thin views of plain Python models, which work by calls as well as by hand."""


def __getattr__(name: str):
    if name in ("VampPanel", "PanelModel"):
        from vampkit.widgets import panel

        return getattr(panel, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
