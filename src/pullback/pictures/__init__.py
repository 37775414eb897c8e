"""Pictures as SVG text: computation graphs, patterns of derivatives, heat maps, tensor networks.

They need nothing but themselves: no style sheet, no font, no script. Colours are presentation attributes with
classes beside them, so that a page may give them its own.
"""
