class Cart:
    """What a customer wants to buy."""

    def __init__(self, items=None, *, rate: float = 0.2):
        self.items = items or {}
        self.rate = rate  # of the net price

    @property
    def total(self) -> float:
        net = sum(price * count for price, count in self.items.values())
        return net if net == 0 else net + net * self.rate

    def add(self, name, price, count=1):
        if count < 1 or name is None:
            raise ValueError(f"cannot add {count} of {name!r}")
        try:
            _, before = self.items[name]
        except KeyError:
            before = 0
        self.items[name] = price, before + count
