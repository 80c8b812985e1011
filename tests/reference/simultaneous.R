# How often k normal estimates lie within q standard errors at once.
# Run: Rscript tests/reference/simultaneous.R (R with mvtnorm)

library(mvtnorm)
set.seed(1)

ar1 <- function(k, r) r^abs(outer(1:k, 1:k, "-"))
same <- function(k, r) diag(1 - r, k) + r

cases <- list(
  list("exchangeable", 0, diag(5)), list("exchangeable", 0.5, same(5, 0.5)),
  list("exchangeable", 0.5, same(12, 0.5)), list("exchangeable", 0.9, same(12, 0.9)),
  list("exchangeable", -0.2, same(4, -0.2)), list("autoregressive", 0.7, ar1(20, 0.7)),
  list("autoregressive", 0.7, ar1(60, 0.7))
)
rows <- do.call(rbind, lapply(cases, function(x) {
  k <- nrow(x[[3]])
  do.call(rbind, lapply(c(2.4, 2.7, 3), function(q) {
    level <- pmvnorm(rep(-q, k), rep(q, k), corr = x[[3]],
                     algorithm = GenzBretz(maxpts = 2e5, abseps = 1e-4))
    data.frame(correlation = x[[1]], r = x[[2]], k = k, quantile = q, level = round(level, 5),
               error = signif(attr(level, "error"), 1))
  }))
}))
write.csv(rows, file.path("tests", "reference", "simultaneous.csv"), row.names = FALSE, quote = FALSE)
