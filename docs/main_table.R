# The table of attainment from panel.csv, with base R alone.
#   lyeval panel sample:linshu --policy linshu-2021 --out panel
#   Rscript docs/main_table.R panel/panel.csv
# For each year: of the first list, how many are still here with known tax, how many have left, and how many stand at or above the
# line that they were listed by; then the same as a share with those who left left out, counted as failed, counted as passed.

path <- commandArgs(trailingOnly = TRUE)[1]
panel <- read.csv(path, fileEncoding = "UTF-8-BOM", stringsAsFactors = FALSE)

true <- function(x) !is.na(x) & x %in% c(TRUE, "True", "TRUE", "true", 1)
listed <- panel[true(panel$first_list), ]

row <- function(year) {
  now <- listed[listed$year == year, ]
  gone <- true(now$gone)
  counted <- !gone & !is.na(now$tax_per_mu)
  reached <- counted & now$tax_per_mu >= now$first_line * (1 - 1e-9)
  n <- sum(counted); left <- sum(gone); r <- sum(reached)
  data.frame(year = year, listed = nrow(now), left = left, counted = n, reached = r,
             dropped = r / n, failed = r / (n + left), passed = (r + left) / (n + left))
}

table <- do.call(rbind, lapply(sort(unique(panel$year)), row))
print(table, row.names = FALSE, digits = 4)
