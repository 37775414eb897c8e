"""Reading values that people give: written inline, or in .npy, .csv and .json files."""

from pullback.values.notices import notices as notices
from pullback.values.read import fit as fit
from pullback.values.read import read_value as read_value
