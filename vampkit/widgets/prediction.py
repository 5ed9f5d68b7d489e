"""Prediction: a question that is answered before its result is shown."""

from __future__ import annotations

import html

from vampkit.widgets import shown
from vampkit.widgets.base import Assembly


class Prediction(Assembly):
    """A question, a place to answer it, and the result, which is shown after the answer.

    Answer by hand or by code: `prediction.answer("the pulse")`. On a page where widgets do not run, the result is
    folded under the question.

    Notebook: 00

    Parameters
    ----------
    question : str
        What to predict.
    result : str
        What came out, in a sentence or a few lines.
    *things
        What is shown with the result: figures, players.
    choices : tuple of str
        Answers to choose from; empty: the reader types.
    """

    def __init__(self, question: str, result: str, *things, choices: tuple[str, ...] = ()):
        self.question, self.result, self.things, self.choices = question, result, things, tuple(choices)
        self.given: str | None = None
        super().__init__(self._box())

    def answer(self, text: str = "") -> str:
        """Give an answer, and show the result.

        Parameters
        ----------
        text : str
            The prediction; empty: none.

        Returns
        -------
        str
            The result.
        """
        self.given = text
        for name, button in self._buttons.items():
            button.button_style = "primary" if name == text else ""
        said = f"<b>You predicted:</b> {html.escape(text)}" if text else ""
        self._said.value = f'<div role="status">{said}</div>'
        self._view.outputs = shown.outputs(self.result, *self.things)
        return self.result

    def __repr__(self) -> str:
        choices = f" ({' / '.join(self.choices)})" if self.choices else ""
        return "\n".join([f"Predict: {self.question}{choices}", self.result, *map(shown.in_words, self.things)])

    def _box(self):
        import ipywidgets as w

        asked = w.HTML(f"<b>Predict.</b> {html.escape(self.question)}")
        self._buttons = {name: w.Button(description=name, layout={"width": "auto"}) for name in self.choices}
        self._field = None if self.choices else w.Text(placeholder="your prediction", continuous_update=False)
        self._skip = w.Button(description="Show the result", layout={"width": "auto"})
        for name, button in self._buttons.items():
            button.on_click(lambda _, name=name: self.answer(name))
        if self._field is not None:
            self._field.observe(lambda change: self.answer(change["new"]), names="value")  # at Enter
        self._skip.on_click(lambda _: self.answer(self.given or ""))
        row = w.HBox([*(self._buttons.values() or [self._field]), self._skip], layout={"flex_flow": "row wrap"})
        self._said, self._view = w.HTML(), w.Output()
        return w.VBox([asked, row, self._said, self._view])

    def _still(self) -> dict[str, str]:
        choices = f"<p>{html.escape(' · '.join(self.choices))}</p>" if self.choices else ""
        result = "".join(map(shown.as_page, (self.result, *self.things)))
        page = f"<p><b>Predict.</b> {html.escape(self.question)}</p>{choices}"
        page += f"<details><summary>Decide first, then open the result</summary>{result}</details>"
        asked = shown.lines(f"Predict. {self.question}", *([" · ".join(self.choices)] if self.choices else []))
        return {"text/plain": repr(self), "text/html": page, "image/svg+xml": asked}
