"""Modules whose package has another name, as their documentation tells: what people import, and what they install.

Most modules have the name of their package. This lists well-known ones that do not. It is consulted only where no
package of this store has the module.
"""

from __future__ import annotations

KNOWN = {
    "Bio": ("biopython", "biopython"),
    "Crypto": ("pycryptodome", "pycryptodome"),
    "Cython": ("cython", "cython"),
    "IPython": ("ipython", "ipython"),
    "Levenshtein": ("levenshtein", "levenshtein"),
    "MySQLdb": ("mysqlclient", "mysqlclient"),
    "OpenGL": ("pyopengl", "PyOpenGL"),
    "OpenSSL": ("pyopenssl", "pyOpenSSL"),
    "PIL": ("pillow", "pillow"),
    "PyPDF2": ("pypdf2", "PyPDF2"),
    "PyQt5": ("pyqt", "PyQt5"),
    "PyQt6": ("pyqt6", "PyQt6"),
    "PySide6": ("pyside6", "PySide6"),
    "attr": ("attrs", "attrs"),
    "bs4": ("beautifulsoup4", "beautifulsoup4"),
    "cairo": ("pycairo", "pycairo"),
    "cartopy": ("cartopy", "Cartopy"),
    "community": ("python-louvain", "python-louvain"),
    "cv2": ("opencv", "opencv-python"),
    "dateutil": ("python-dateutil", "python-dateutil"),
    "docx": ("python-docx", "python-docx"),
    "dotenv": ("python-dotenv", "python-dotenv"),
    "fitz": ("pymupdf", "PyMuPDF"),
    "git": ("gitpython", "GitPython"),
    "github": ("pygithub", "PyGithub"),
    "googleapiclient": ("google-api-python-client", "google-api-python-client"),
    "gridfs": ("pymongo", "pymongo"),
    "igraph": ("python-igraph", "igraph"),
    "jose": ("python-jose", "python-jose"),
    "jwt": ("pyjwt", "PyJWT"),
    "kafka": ("kafka-python", "kafka-python"),
    "lxml_html_clean": ("lxml-html-clean", "lxml-html-clean"),
    "magic": ("python-magic", "python-magic"),
    "mpl_toolkits": ("matplotlib", "matplotlib"),
    "osgeo": ("gdal", "GDAL"),
    "pkg_resources": ("setuptools", "setuptools"),
    "pptx": ("python-pptx", "python-pptx"),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "pywt": ("pywavelets", "PyWavelets"),
    "serial": ("pyserial", "pyserial"),
    "skimage": ("scikit-image", "scikit-image"),
    "sklearn": ("scikit-learn", "scikit-learn"),
    "skmultilearn": ("scikit-multilearn", "scikit-multilearn"),
    "slugify": ("python-slugify", "python-slugify"),
    "snappy": ("python-snappy", "python-snappy"),
    "socks": ("pysocks", "PySocks"),
    "tables": ("pytables", "tables"),
    "tlz": ("toolz", "toolz"),
    "torch": ("pytorch", "torch"),
    "typing_extensions": ("typing_extensions", "typing-extensions"),
    "umap": ("umap-learn", "umap-learn"),
    "usb": ("pyusb", "pyusb"),
    "websocket": ("websocket-client", "websocket-client"),
    "wx": ("wxpython", "wxPython"),
    "xlsxwriter": ("xlsxwriter", "XlsxWriter"),
    "yaml": ("pyyaml", "PyYAML"),
    "zmq": ("pyzmq", "pyzmq"),
}
"""The package in conda-forge and on PyPI, by the top-level module."""


def known_packages(module: str) -> tuple[str, str] | None:
    """Return the package of a module in conda-forge and on PyPI; None where it is not known.

    >>> known_packages("sklearn.svm"), known_packages("numpy")
    (('scikit-learn', 'scikit-learn'), None)
    """
    return KNOWN.get(module.partition(".")[0])
