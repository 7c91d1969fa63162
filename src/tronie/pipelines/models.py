"""What a pipeline works with: the head, the nets, the engine; each is loaded once, when it is first asked for."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from tronie.errors import TronieError
from tronie.head.model import HeadModel
from tronie.pipelines.engines import engine_info, load_head
from tronie.runtime.hardware import cores
from tronie.settings import Settings
from tronie.stages.fit.engine_info import Engine
from tronie.stages.fit.regressor import Calibration

if TYPE_CHECKING:
    from tronie.stages.detect.detector import Detector
    from tronie.stages.enhance.enhancer import Enhancer
    from tronie.stages.landmarks.net import LandmarkNet
    from tronie.stages.segment import SegmentNet

MOST_THREADS = 4
"""That paint a texture together, unless asked for more: setting up its triangles is done in each."""


class Models:
    """`threads` is the number of CPU threads of the inference runtime and of what is painted, 0 for their own choice.
    `enhancer` takes the place of the one that `settings.enhance.mode` means, unless that is `off`. Raises InputError
    for a device that is not there."""

    def __init__(
        self,
        settings: Settings | None = None,
        threads: int = 0,
        *,
        enhancer: Enhancer | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.threads = threads
        self._device = self.settings.compute.device
        if self._device not in ("auto", "cpu"):
            from tronie.runtime.inference import require

            require(self._device)
        self._detector: Detector | None = None
        self._net: LandmarkNet | None = None
        self._segmenter: SegmentNet | None = None
        self._engine: Engine | None = None
        self._enhancer = None if self.settings.enhance.mode == "off" else enhancer

    def with_settings(self, settings: Settings | None = None, /, **changes: Any) -> Self:
        """Another one, with the models of this one as far as they are the same: both belong to one thread.

        `settings` take the place of this one's; `changes` are branches of them, whole or in part, as
        `with_settings(portrait={"crop": "passport"}, only="portrait")`. Raises ValidationError as Settings does.
        """
        base = settings or self.settings
        tree = base.model_dump(exclude_unset=True)
        for name, value in changes.items():
            kept = tree.get(name)
            tree[name] = {**kept, **value} if isinstance(kept, dict) and isinstance(value, dict) else value
        other = type(self)(Settings.model_validate(tree), self.threads)
        mine, its = self.settings, other.settings
        if its.compute != mine.compute:
            return other
        other._net, other._segmenter = self._net, self._segmenter
        if its.detect.detector == mine.detect.detector:
            other._detector = self._detector
        if its.enhance.mode == mine.enhance.mode:
            other._enhancer = self._enhancer
        if (its.head, its.fit) == (mine.head, mine.fit):
            other._engine = self._engine
        return other

    @property
    def model(self) -> HeadModel:
        """The head that faces are fitted with. Raises WeightsError for one that is not there."""
        return self._head[0]

    @property
    def calibration(self) -> Calibration:
        return self._head[1]

    @property
    def _head(self) -> tuple[HeadModel, Calibration]:
        return load_head(self.settings.head.name)

    @property
    def _threads(self) -> int:
        return self.threads or min(MOST_THREADS, cores())

    @property
    def detector(self) -> Detector:
        if self._detector is None:
            from tronie.stages.detect import make_detector

            self._detector = make_detector(self.settings.detect.detector, self.threads, self._device)
        return self._detector

    @property
    def net(self) -> LandmarkNet:
        if self._net is None:
            from tronie.stages.landmarks.net import LandmarkNet

            self._net = LandmarkNet(self.threads, self._device)
        return self._net

    def load_ahead(self) -> None:
        """Have the nets that every face needs loaded beside what else is done. Whoever needs one first waits for it, or
        hears what is wrong with it."""
        nets: list[LandmarkNet | SegmentNet] = [self.net]
        restores, wanted = self.settings.job == "restore", self.settings.restore
        if wanted.colour or wanted.damage != "off" if restores else self.settings.runs("texture"):
            nets.append(self.segmenter)

        def load() -> None:
            with suppress(TronieError):
                for net in nets:
                    net.load()

        threading.Thread(target=load, name="tronie-nets", daemon=True).start()

    @property
    def segmenter(self) -> SegmentNet:
        """What tells hair from skin and all else."""
        if self._segmenter is None:
            from tronie.stages.segment import SegmentNet

            self._segmenter = SegmentNet(self.threads, self._device)
        return self._segmenter

    @property
    def engine(self) -> Engine:
        """What reconstructs the faces."""
        if self._engine is None:
            self._engine = engine_info(self.settings.fit.engine).load(self.settings, self.threads)
        return self._engine

    @property
    def enhancer(self) -> Enhancer | None:
        """What puts detail into small faces; None where that is not wanted or not there."""
        if self._enhancer is None:
            from tronie.stages.enhance import enhancer_for

            self._enhancer = enhancer_for(self.settings.enhance.mode, self.threads, self._device)
        return self._enhancer
