"""The rules a ledger is read by: for each its weight, its title and its sentence in both languages, with what to do.

Errors are what cannot be read, would be counted twice, or belongs to no enterprise. Everything else warns.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One rule: ``severity``, a title and a sentence (with ``{names}`` filled from the fault) per language."""

    severity: str
    zh_title: str
    en_title: str
    zh: str
    en: str

    def title(self, lang: str = "zh") -> str:
        """Return the title in ``lang``."""
        return self.zh_title if lang == "zh" else self.en_title


def _error(*words: str) -> Rule:
    """Return a rule that stops the reading."""
    return Rule("error", *words)


def _warning(*words: str) -> Rule:
    """Return a rule that is told and does not stop."""
    return Rule("warning", *words)


FILES = {
    "file_missing": _error(
        "找不到文件", "file not found", "找不到该文件，请核对路径。{known}", "no such file; check the path. {known}"
    ),
    "file_empty": _error(
        "空文件",
        "empty file",
        "文件为0字节，请向报送单位重新索取。",
        "the file has 0 bytes; ask the sender for it again",
    ),
    "file_unreadable": _error(
        "文件损坏或格式不符",
        "damaged file",
        "无法打开（{cause}）。请用表格软件打开后另存为xlsx再试。",
        "cannot be opened ({cause}); open it in a spreadsheet program and save it as xlsx",
    ),
    "file_password": _error(
        "文件已加密",
        "password-protected file",
        "文件设有打开密码，请取消密码另存后再试。",
        "the file asks for a password; save it without one",
    ),
    "file_kind": _error(
        "文件类型不支持",
        "unsupported kind of file",
        "不支持“{kind}”格式，请另存为xlsx或csv（图片、文档需先录入表格）。",
        "{kind!r} files are not read; save as xlsx or csv (type pictures and documents in first)",
    ),
    "file_too_large": _error(
        "文件过大",
        "file too large",
        "解压后约{size}MB，超过上限{limit}MB，疑似异常文件；请删去空行空列后另存。",
        "unpacks to about {size} MB, over the limit of {limit} MB; delete empty rows and columns and save again",
    ),
    "encoding": _error(
        "文字编码无法识别",
        "unknown text encoding",
        "既不是UTF-8也不是GB18030，请另存为“CSV UTF-8”。",
        "neither UTF-8 nor GB18030; save as 'CSV UTF-8'",
    ),
    "no_table": _error(
        "没有可识别的表",
        "no table recognised",
        "没有找到含“统一社会信用代码”等表头的数据表，请核对表头是否齐全。{hint}",
        "no table with headings such as 统一社会信用代码 was found; check the header row. {hint}",
    ),
    "sheet_unknown": _warning(
        "未识别的工作表",
        "sheet not recognised",
        "表头无法对应到任何台账表，未读取。",
        "its headings fit no table of the ledger; not read",
    ),
    "sheet_hidden": _warning(
        "隐藏的工作表",
        "hidden sheet",
        "工作表已隐藏，未读取；确需使用请取消隐藏。",
        "the sheet is hidden and was not read; unhide it if it belongs to the ledger",
    ),
}
HEADINGS = {
    "heading_ambiguous": _error(
        "表头含义不明",
        "heading fits two columns",
        "既可能是{columns}，请改用明确的表头。",
        "may be {columns_en}; use a heading that says which",
    ),
    "heading_twice": _error(
        "两列对应同一字段",
        "two headings for one column",
        "与“{other}”都对应“{column}”，请只保留一列或改正表头。",
        "this and {other!r} both name {column_en}; keep one or correct the heading",
    ),
    "heading_second": _warning(
        "重复字段未采用",
        "second column set aside",
        "“{column}”已取自“{other}”，本列未采用。",
        "{column_en} was taken from {other!r}; this column was set aside",
    ),
    "heading_unknown": _warning(
        "未识别的表头",
        "unknown heading",
        "未读取该列；相近的表头有：{nearest}。",
        "column not read; the nearest headings are: {nearest}",
    ),
    "heading_refused": _warning(
        "形似而非的表头",
        "look-alike heading",
        "不是“{column}”，未采用；如确为该数据请改写表头。",
        "this is not {column_en} and was not used; rename the heading if it is",
    ),
    "heading_near": _warning(
        "口径可能不同的表头",
        "heading of a near measure",
        "已按“{column}”读取，口径可能不同，请核对。",
        "read as {column_en}; the measure may differ, please check",
    ),
    "heading_note": _warning(
        "表头附注未采用",
        "bracket in the heading set aside",
        "已按“{column}”读取，括号内的说明未采用，请核对口径。",
        "read as {column_en}; the words in the bracket were set aside, please check",
    ),
    "unit_wrong": _error(
        "单位与字段不符",
        "unit does not fit the column",
        "单位“{unit}”与“{column}”（应为{wanted}一类）不符，请改正单位或表头。",
        "unit {unit!r} does not fit {column_en} (in {wanted}); correct the unit or the heading",
    ),
    "no_code": _error(
        "缺少统一社会信用代码列",
        "no credit code column",
        "该表没有“统一社会信用代码”列，无法对应到企业；请补上该列。",
        "the table has no 统一社会信用代码 column, so its rows belong to no enterprise; add it",
    ),
    "no_key": _error(
        "缺少必需的列",
        "required column missing",
        "该表没有“{column}”列，请补上。",
        "the table has no {column_en} column; add it",
    ),
    "no_year": _error(
        "看不出年份",
        "no year",
        "该表没有“年份”列，表名、标题中也没有唯一的年份；请加一列“年份”。",
        "no 年份 column and no single year in the title or sheet name; add a 年份 column",
    ),
    "year_assumed": _warning(
        "年份取自标题",
        "year taken from the title",
        "该表没有“年份”列，按标题或表名取{year}年。",
        "no 年份 column; {year} was taken from the title or sheet name",
    ),
}
TABLES = {
    "annual_ignored": _warning(
        "没有年份的数据未采用",
        "figures without a year set aside",
        "该表的年度数据看不出年份，另有带年份的表，未采用。",
        "figures of no known year; another table has them by year, so these were set aside",
    ),
}
VALUES = {
    "number_unreadable": _error(
        "数字无法识别",
        "unreadable number",
        "不是数字，请填数字（没有数据请留空）。",
        "not a number; give one, or leave the cell blank",
    ),
    "date_unreadable": _error(
        "日期无法识别",
        "unreadable date",
        "不是日期，请按2020-08-20的样式填写。",
        "not a date; write it like 2020-08-20",
    ),
    "date_wanted": _error(
        "应填日期", "date wanted", "此处应填具体日期，不能只填是或否。", "a date is wanted here, not yes or no"
    ),
    "flag_unreadable": _error(
        "是否项无法识别",
        "unreadable flag",
        "请填“是”或“否”（规上项可填规上、规下）。",
        "write 是 or 否 (规上 or 规下 where that is asked)",
    ),
    "scale_size": _error(
        "企业规模不是规上规下",
        "size class is not 规上/规下",
        "大中小微型不能代替规上、规下，请按统计名录填“规上”或“规下”。",
        "a size class does not tell 规上 from 规下; fill it from the statistical list",
    ),
    "outcome_unreadable": _error(
        "处置结果无法识别",
        "unreadable outcome",
        "不是已知的处置结果，请填：{known}。",
        "not a known outcome; use one of {known}",
    ),
    "method_unknown": _warning(
        "处置方式未识别",
        "unknown disposal method",
        "不是已知的处置方式，原文保留；已知的有：{known}。",
        "not a known method, kept as written; known are {known}",
    ),
    "flow_unreadable": _error(
        "入库类型无法识别",
        "unreadable tax flow",
        "不是已知的入库类型，请填：{known}。",
        "not a known flow; use one of {known}",
    ),
    "year_unreadable": _error(
        "年份无法识别", "unreadable year", "不是年份，请填四位数字。", "not a year; write four digits"
    ),
    "year_range": _error(
        "年份超出范围", "year out of range", "年份应在1990至2100之间。", "a year lies between 1990 and 2100"
    ),
    "month_unreadable": _error("月份无法识别", "unreadable month", "月份应为1至12。", "a month is 1 to 12"),
    "negative": _error(
        "数值不能为负", "negative value", "“{column}”不能为负，请核对。", "{column_en} cannot be negative; check it"
    ),
    "share_range": _error(
        "比例超出范围",
        "share out of range",
        "比例应在0至100%之间，请核对。",
        "a share lies between 0 and 100%; check it",
    ),
    "date_completed": _warning(
        "日期不完整",
        "incomplete date",
        "日期不完整，已按{date}读取，请核对。",
        "incomplete date, read as {date}; please check",
    ),
    "reason_words": _warning(
        "以文字代替是否",
        "words in place of a flag",
        "填的是文字，已按“是”读取，请核对。",
        "words, read as yes; please check",
    ),
    "outcome_done": _warning(
        "处置结果含义不明",
        "ambiguous outcome",
        "已按处置方式读取（提升、整治为达标，淘汰为关停，收储为收储），是否达标以税收核实为准。",
        "read by its method (upgrade, rectify: reached; shut down: closed; land bank: banked); the line is verified from tax",
    ),
    "outcome_none": _warning(
        "不是处置结果",
        "not an outcome",
        "销号、核销不是处置结果，已留空；请另填结果和销号日期。",
        "writing off is no outcome; left blank: give the outcome and the date apart",
    ),
    "total_mismatch": _warning(
        "合计与明细不符",
        "total does not match",
        "合计行为{total}，明细相加为{sum}，已以明细为准。",
        "the total row says {total}, the rows add to {sum}; the rows are used",
    ),
}
ROWS = {
    "code_missing": _error(
        "缺少信用代码",
        "credit code missing",
        "该行有数据但没有统一社会信用代码，请补填。",
        "the row has data and no credit code; fill it in",
    ),
    "code_wrong": _error(
        "信用代码错误",
        "wrong credit code",
        "统一社会信用代码应为18位数字或大写字母（不含I、O、S、V、Z），现为{length}位，请更正。",
        "a credit code has 18 digits or capitals (no I, O, S, V, Z), this has {length} characters; correct it",
    ),
    "code_number": _error(
        "信用代码存成了数字",
        "credit code stored as a number",
        "代码被存成数字，末位已丢失；请把该列设为文本格式后重新填写。",
        "the code was stored as a number and lost its last digits; format the column as text and enter it again",
    ),
    "key_missing": _error(
        "必填项为空", "key is blank", "“{column}”不能为空，请补填。", "{column_en} cannot be blank; fill it in"
    ),
    "duplicate_enterprise": _error(
        "企业重复",
        "enterprise twice",
        "与第{other}行是同一企业，会重复计算，请删去一行。",
        "same enterprise as row {other}; delete one",
    ),
    "duplicate_year": _error(
        "企业同一年份重复",
        "enterprise-year twice",
        "{code} {year}年已见于{other}，会重复计算，请删去或合并。",
        "{code} {year} already stands at {other}; delete or merge one",
    ),
    "duplicate_month": _error(
        "企业同一月份重复",
        "enterprise-month twice",
        "{code} {year}年{month}月已见于{other}，会重复计算，请删去或合并。",
        "{code} {year}-{month} already stands at {other}; delete or merge one",
    ),
    "duplicate_row": _error(
        "记录重复",
        "row twice",
        "与第{other}行完全相同，会重复计算，请删去一行。",
        "identical to row {other}; delete one",
    ),
    "code_in_two_files": _error(
        "同一企业见于两个台账",
        "one enterprise in two ledgers",
        "{code}既在“{file_a}”又在“{file_b}”，会重复计算，请核定归属后删去一处。",
        "{code} stands in both {file_a} and {file_b}; keep it in one",
    ),
    "contradiction": _error(
        "两张表数据矛盾",
        "two tables contradict",
        "{code}的“{column}”与{other}不一致（{value_other}），请核定后改为一致。",
        "{column_en} of {code} differs from {other} ({value_other}); settle which is right",
    ),
    "orphan": _error(
        "不在企业名单",
        "not among the enterprises",
        "{code}不在企业表中，请在企业表补上该企业或更正代码。",
        "{code} is not in the enterprise sheet; add it there or correct the code",
    ),
    "no_enterprises": _error(
        "没有企业数据",
        "no enterprises",
        "没有读到任何企业或年度数据，请核对文件。",
        "no enterprise or annual row was read; check the file",
    ),
}
CONTENT = {
    "check_digit": _warning(
        "信用代码校验位不符",
        "check digit of credit codes",
        "有{count}个统一社会信用代码的校验位（GB 32100）不符，例如{code}，请核对。",
        "{count} credit codes fail the check digit of GB 32100, e.g. {code}; please check",
    ),
    "two_names": _warning(
        "同一代码两个名称",
        "one code, two names",
        "{code}又名“{other}”，请核对是否更名。",
        "{code} is also called {other!r}; check whether it was renamed",
    ),
    "same_name": _warning(
        "不同代码同一名称",
        "two codes, one name",
        "“{name}”另有代码{other}，请核对是否同一企业。",
        "{name!r} also has the code {other}; check whether it is one enterprise",
    ),
    "identity_changes": _warning(
        "企业信息各年不一",
        "identity differs over the years",
        "{code}的“{column}”各年不一，取最近一年的“{latest}”。",
        "{column_en} of {code} differs over the years; the latest, {latest!r}, is used",
    ),
    "missing_tax": _warning(
        "缺税收", "tax missing", "{code} {year}年税收为空，按未知处理。", "{code} has no tax for {year}; unknown"
    ),
    "missing_land": _warning(
        "缺土地面积",
        "land missing",
        "{code} {year}年土地面积为空，按未知处理。",
        "{code} has no land for {year}; unknown",
    ),
    "land_blank": _warning(
        "土地总面积为空",
        "land area blank",
        "{code} {year}年土地总面积为空，有批准面积；按计划规定的口径使用。",
        "{code} has no land area for {year} but an approved area, used as the plan provides",
    ),
    "missing_column": _warning(
        "缺少重要的列",
        "column missing",
        "台账没有“{column}”列，相关目标可能无法判定。",
        "no {column_en} column; targets may stay undetermined",
    ),
    "no_annual": _warning(
        "企业没有年度数据", "enterprise without annual rows", "{code}没有任何年度数据。", "{code} has no annual row"
    ),
}
RULES: dict[str, Rule] = FILES | HEADINGS | TABLES | VALUES | ROWS | CONTENT
