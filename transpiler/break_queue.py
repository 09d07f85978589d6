"""Oppen's queue: the end of a logical line that is held until it is known where it breaks.

A *group* is a set of breaks that are line breaks together or not at all. It is flat if it fits on its line up to the
first break after its end; as soon as the line is full before that break arrives, it is not. The queue begins with a
break of a group that is not decided, so it never holds more than about one line, and it looks at each piece once.
Which breaks make a group belongs to ``transpiler.line_breaks``.

Places count the characters of the line as if it were flat. With a width of 12 and the line ``f(a, b + c)``::

    f(|1               place 2 is a break of group 1 (the bracket): "f(" is written, the rest is held
    |1a,|2b|3+ c       group 2 (its separator), group 3 (its operator); nothing has ended, and all fits
    |1a,|2b|3+ c|1)    group 3 ended at place 10, where a break arrived; group 1 did not, and 11 columns fit
    |1a,|2b|3+ c|1):   a colon: 12 columns still fit; with one more, group 1 would be broken, and "a" stand in column 4
"""

from __future__ import annotations

NOWHERE = 1 << 60
"""A place that no line reaches."""


class LineStarts(dict[int, str]):
    """Depth -> a line break and the indent after it.

    >>> LineStarts("  ", "    ")[1]
    '\\n      '
    """

    def __init__(self, base: str, unit: str) -> None:
        super().__init__()
        self._base = base
        self._unit = unit

    def __missing__(self, depth: int) -> str:
        made = self[depth] = "\n" + self._base + self._unit * depth
        return made


class Group:
    """Breaks that are line breaks together.

    Attributes:
        start: the place where what they part begins.
        limit: the place of the first break after its end, once that has arrived.
        comma: columns that a comma before that break takes.
        broken: whether they are line breaks, once that is decided.
    """

    __slots__ = ("broken", "comma", "limit", "start")

    def __init__(self, start: int, broken: bool | None = None) -> None:
        self.start = start
        self.limit = NOWHERE
        self.comma = 0
        self.broken = broken


class Break:
    """A place where the line may break.

    Attributes:
        place: where it is.
        group: the group that it belongs to.
        level: how much deeper than the logical line the line after it indents.
        flat: what stands there if the line does not break.
        before: what ends the line if it does.
        comma: a group; if that is broken, too, a comma ends the line.
        separates: whether it follows a separator.
    """

    __slots__ = ("before", "comma", "flat", "group", "level", "place", "separates")

    def __init__(self, place: int, group: Group, level: int, flat: str, before: str, comma: Group | None, separates: bool) -> None:
        self.place = place
        self.group = group
        self.level = level
        self.flat = flat
        self.before = before
        self.comma = comma
        self.separates = separates


class BreakQueue:
    """Writes a logical line to ``out``, broken where it must be.

    Args:
        out: the pieces of text. What has been appended does not change any more.
        width: how many columns a line may have, if possible; ``NOWHERE`` for any number.
        starts: how lines begin.

    Attributes:
        total: the place that has been reached.
        held: the queue.
        ended: groups that have ended, and wait for the next break.
        newline: a line break that waits for what follows it: how much deeper that indents.

    >>> out = []
    >>> queue = BreakQueue(out, 9, LineStarts("", "  "))
    >>> group = Group(2)
    >>> for step in (lambda: queue.text("f("), lambda: queue.add_break(group, 1), lambda: queue.text("arg"), lambda: queue.text("ument")):
    ...     step()
    ...     print(out, len(queue.held))
    ['f('] 0
    ['f('] 1
    ['f('] 2
    ['f(', '\\n  ', 'arg', 'ument'] 0
    """

    __slots__ = (
        *("_commented", "_depth", "_flat_until", "_gap", "_line_at", "_shift", "_starts"),
        *("ended", "held", "newline", "out", "total", "width"),
    )

    def __init__(self, out: list[str], width: int, starts: LineStarts) -> None:
        self.out = out
        self.width = width
        self._starts = starts
        self.begin(0)

    def begin(self, depth: int) -> None:
        """Stand after the indent of a logical line."""
        self._depth = depth
        self.total = 0
        self.held: list[str | Break] = []
        self.ended: list[Group] = []
        self.newline: int | None = None
        self._shift = len(self._starts[depth]) - 1  # a place plus this is a column, if the line does not break before it
        self._line_at = 0  # the place where the line that is being written begins
        self._flat_until = 0  # breaks before this place are flat
        self._commented = False  # the line that is being written ends in a comment
        self._gap = ""  # a blank that waits for what follows it: no line ends in one

    @property
    def column(self) -> int:
        """The column that has been reached, if nothing is held."""
        return self.total + self._shift

    # ------------------------------------------------------------------------------------------------------ adding

    def text(self, text: str) -> None:
        """Add text without line breaks."""
        self.total += len(text)
        if self.held:
            self.held.append(text)
            if self.total + self._shift > self.width:
                self.decide()
        elif self.newline is None and not self._gap and text[-1:] != " ":
            self.out.append(text)
        else:
            self._put(text)

    def add_break(
        self, group: Group, level: int, flat: str = "", *, before: str = "", comma: Group | None = None, separates: bool = False
    ) -> None:
        """Add a place where the line may break."""
        place = self.total
        if self.ended:
            self._limit_ended()
        self.total += len(flat)
        added = Break(place, group, level, flat, before, comma, separates)
        if not self.held and group.broken:
            self._put_break(added)
        else:
            self.held.append(added)
            self.decide()

    def end_line(self) -> None:
        """Decide all groups that have ended: the line ends here, or breaks for another reason than its width."""
        self._limit_ended()
        self.decide()

    def go_on(self, text: str) -> None:
        """Add the later lines of a literal, from the line break on. Nothing is held."""
        self.out.append(self._gap + text)
        self._gap = ""
        self.total += len(text)
        self._shift = len(text) - text.rindex("\n") - 1 - self.total

    def comment(self, text: str, level: int, own_line: bool) -> None:
        """Add a comment inside brackets. Nothing is held."""
        if own_line or self._commented:
            level = level if self.newline is None else self.newline
            self.out.append(self._starts[self._depth + level])
        else:
            self.out.append("  ")
        self.out.append(text)
        self._commented = True
        self._begin_line(level, self.total)

    def fits(self, level: int, text: str) -> bool:
        """Whether a text fits on a line of its own."""
        return len(self._starts[self._depth + level]) + len(text) <= self.width + 1

    def element(self, text: str, level: int) -> None:
        """Add text that stands on a line of its own, where a blank would follow it otherwise: an element with its comma, a string."""
        self.out.append(self._starts[self._depth + level] + text)
        self.total += len(text) + 1
        self._commented = False
        self._begin_line(level, self.total)

    # ---------------------------------------------------------------------------------------------------- decisions

    def _limit_ended(self) -> None:
        for group in self.ended:
            group.limit = self.total
        self.ended.clear()

    def decide(self) -> None:
        """Write what is held, as far as it is decided."""
        held = self.held
        done = 0
        for item in held:
            if isinstance(item, str):
                self._put(item)
            elif self._is_line_break(item):
                self._put_break(item)
            elif item.group.broken is None and item.place >= self._flat_until:
                break
            else:
                self._put(item.flat)
            done += 1
        del held[:done]

    def _is_line_break(self, item: Break) -> bool:
        """Whether a break is known to be a line break. If it is known not to be one, its group says so or its place is flat."""
        group = item.group
        if item.place < self._flat_until:
            return False
        if group.broken is None:
            if group.limit != NOWHERE:
                # What does not begin on this line has been broken further inside already.
                group.broken = group.start < self._line_at or group.limit + group.comma + self._shift > self.width
                if not group.broken:
                    self._flat_until = group.limit
            elif group.start < self._line_at or self.total + self._shift > self.width:
                group.broken = True
        return group.broken is True

    # ------------------------------------------------------------------------------------------------------ writing

    def _put(self, text: str) -> None:
        if self.newline is not None:
            stripped = text.lstrip(" ")
            if not stripped:
                return
            self.out.append(self._starts[self._depth + self.newline])
            self.newline = None
            self._commented = False
            self._shift -= len(text) - len(stripped)
            text = stripped
        if text:
            if self._gap:
                text = self._gap + text
                self._gap = ""
            if text[-1] == " ":
                text = text[:-1]
                self._gap = " "
            self.out.append(text)

    def _put_break(self, item: Break) -> None:
        if item.before:
            self._put(item.before)
        if item.comma is not None and item.comma.broken:
            self._put(",")
        self._begin_line(item.level, item.place + len(item.flat))

    def _begin_line(self, level: int, place: int) -> None:
        self.newline = level
        self._gap = ""
        self._line_at = place
        self._shift = len(self._starts[self._depth + level]) - 1 - place
