"""The errors of manuscripts: why nothing was taken over. What they are, `node/errors` says."""

from __future__ import annotations

from node.errors import NodeError


class ManuscriptKindError(NodeError):
    """The file is no .docx."""

    code = "docx.kind"
    status = 415
    message = "只接收 .docx 文稿，而且不能设打开密码；旧的 .doc 请另存为 .docx。"


class ManuscriptSizeError(NodeError):
    """The file is larger than a text ever is."""

    code = "docx.too_large"
    status = 413
    message = "文稿文件太大。请删去图片后再导入，图片可以作为附件上传。"


class ManuscriptBombError(NodeError):
    """What is in the file is far larger than the file."""

    code = "docx.bomb"
    status = 422
    message = "文稿解开后大得反常，不予打开。请新建一份文稿，把文字复制进去。"


class ManuscriptDamagedError(NodeError):
    """The file is not whole, or not written as such files are."""

    code = "docx.damaged"
    status = 422
    message = "文稿文件不完整或者已经损坏。请用文字处理软件打开，另存后再导入。"


class ManuscriptMacrosError(NodeError):
    """The file holds macros."""

    code = "docx.macros"
    status = 422
    message = "文稿里有宏，不予接收。请另存为不含宏的 .docx 后再导入。"


class ManuscriptLinksError(NodeError):
    """The file takes in something from outside of itself."""

    code = "docx.links"
    status = 422
    message = "文稿引用了外部的模板、图片或文档，不予接收。请断开这些链接后再导入。"


class ManuscriptEmbeddedError(NodeError):
    """Other files are embedded in the file."""

    code = "docx.embedded"
    status = 422
    message = "文稿里嵌入了其他文件或对象，不予接收。请删去后再导入，需要的作为附件上传。"


class ManuscriptEmptyError(NodeError):
    """There is no text in the file."""

    code = "docx.empty"
    status = 422
    message = "文稿里没有文字。"
