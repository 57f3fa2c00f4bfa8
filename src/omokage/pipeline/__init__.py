"""Find, align, predict: from a picture to its faces. The only place where the parts of the street are put together."""

from omokage.pipeline.analyzer import Analyzer
from omokage.pipeline.config import AnalyzerConfig, Finder, Predictor, ReviewRules

__all__ = ["Analyzer", "AnalyzerConfig", "Finder", "Predictor", "ReviewRules"]
