"""Settings, as attributes and as items."""

import json

import pytest

from minikeras.utils import Config


def test_attributes_and_items_are_the_same():
    config = Config(rate=0.1)
    config.depth = 3
    config["width"] = 5
    config.update(name="a")
    assert (config["depth"], config.width, config.get("x", 1)) == (3, 5, 1)
    assert [*config] == sorted(config.keys()) == ["depth", "name", "rate", "width"]
    assert len(config) == 4
    assert config.pop("name") == "a"
    del config["width"]
    assert "width" not in config
    assert json.loads(config.to_json()) == config.as_dict() == dict(config.items())
    assert [*config.values()] == [0.1, 3]
    assert repr(config) == "<Config {'rate': 0.1, 'depth': 3}>"


def test_what_is_frozen_does_not_change():
    config = Config(rate=0.1)
    config.freeze()
    assert config.frozen
    for change in (
        lambda: setattr(config, "rate", 1),
        lambda: config.update(rate=1),
        lambda: config.pop("rate"),
        lambda: config.__setitem__("rate", 1),
        lambda: config.__delitem__("rate"),
    ):
        with pytest.raises(ValueError, match="config is frozen"):
            change()
    config.unfreeze()
    config.rate = 1
    assert config.as_dict() == {"rate": 1}


def test_a_mistyped_name_gets_a_hint():
    with pytest.raises(AttributeError, match=r"'rat'\. Did you mean 'rate'"):
        _ = Config(rate=0.1).rat
    with pytest.raises(AttributeError, match=r"Unknown attribute: 'x'\.$"):
        _ = Config(rate=0.1).x
