# Limits of sum(w p) by Fay and Feuer's formulas as printed (Statistics in Medicine 16, 1997, eq. 1
# and 2), which are quantiles of chi-square; with the binomial variance of the counts.
# Rscript tests/reference/weighted_counts.R
cases <- list(
  rare = list(x = c(1, 0, 3, 2), n = c(200, 200, 150, 400), w = c(100, 50, 20, 400)),
  none = list(x = c(0, 0), n = c(50, 80), w = c(10, 30)),
  one = list(x = 7, n = 120, w = 35),
  usual = list(x = c(24, 9, 3, 5, 2), n = rep(300, 5), w = c(12, 35, 400, 60, 80))
)
rows <- NULL
for (name in names(cases)) {
  x <- cases[[name]]$x; n <- cases[[name]]$n; w <- cases[[name]]$w
  step <- w / n
  y <- sum(step * x)
  v <- sum(step^2 * x * (1 - x / n))
  m <- max(step)
  for (level in c(0.9, 0.95, 0.99)) {
    alpha <- 1 - level
    low <- if (y > 0) v / (2 * y) * qchisq(alpha / 2, 2 * y^2 / v) else 0
    high <- (v + m^2) / (2 * (y + m)) * qchisq(1 - alpha / 2, 2 * (y + m)^2 / (v + m^2))
    rows <- rbind(rows, data.frame(
      case = name, level = level, limit = c("low", "high"), value = sprintf("%.15g", c(low, high))
    ))
  }
}
write.csv(rows, "tests/reference/weighted_counts.csv", row.names = FALSE, quote = FALSE)
