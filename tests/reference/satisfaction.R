# Weights of regression factor scores of one-factor models, and the ACSI form of an index with its
# linear variance. Run: Rscript tests/reference/satisfaction.R <mobi.csv>
#
# lavaan stops short of its own optimum, and nlminb does not get closer with a tightened control; so
# each model is fitted again from there by lavaan's Gauss-Newton ("gn"), to a step below 1e-13.
suppressMessages(library(lavaan))
args <- commandArgs(trailingOnly = TRUE)
mobi <- read.csv(args[1])
blocks <- list(
  Satisfaction = c("CUSA1", "CUSA2", "CUSA3"),
  Image = c("IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"),
  Quality = c("PERQ1", "PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7")
)
rows <- list()
add <- function(block, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(block = block, name = name, value = sprintf("%.12g", value))
}
for (block in names(blocks)) {
  items <- blocks[[block]]
  x <- mobi[items]
  model <- paste("f =~", paste(items, collapse = " + "))
  rough <- cfa(model, x, std.lv = TRUE)
  fit <- cfa(model, x, std.lv = TRUE, start = rough, optim.method = "gn", optim.gn.tol.x = 1e-13)
  # The regression of the factor on the items: what lavPredict multiplies centred answers by.
  scores <- as.numeric(lavPredict(fit, method = "regression"))
  weights <- coef(lm(scores ~ ., data = x))[-1]
  weights <- weights / sum(weights)
  for (item in items) add(block, item, weights[[item]])
  level <- 100 * (colMeans(x) - 1) / 9
  add(block, "index_factor", sum(weights * level))
  add(block, "index_equal", mean(level))
  w <- rep(1 / length(items), length(items))
  add(block, "se_equal", 100 / 9 * sqrt(drop(t(w) %*% cov(x) %*% w) / nrow(x)))
}
out <- do.call(rbind, rows)
write.csv(out, file.path("tests", "reference", "satisfaction.csv"), row.names = FALSE, quote = FALSE)
