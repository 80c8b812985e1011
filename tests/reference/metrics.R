# Reference values for cxstats.metrics, from base R 4.2 and boot: Rscript metrics.R
# Shares: prop.test (Wilson, without correction), binom.test (Clopper-Pearson), prop.test and
# fisher.test of two, prop.test of several. Means: t.test, Welch, oneway.test. Weighted: linearised
# variance written out. NPS: the paper's formula written out, the score interval by uniroot on a
# likelihood maximised by optimize.
options(digits = 17)
rows <- list()
put <- function(case, name, value) rows[[length(rows) + 1]] <<- data.frame(case, name, value)

for (xn in list(c(30, 200), c(0, 20), c(20, 20), c(7, 19))) {
  case <- sprintf("share_%d_%d", xn[1], xn[2])
  wilson <- suppressWarnings(prop.test(xn[1], xn[2], correct = FALSE)$conf.int)
  exact <- binom.test(xn[1], xn[2])$conf.int
  put(case, c("wilson_low", "wilson_high", "cp_low", "cp_high"), c(wilson, exact))
}
two <- suppressWarnings(prop.test(c(45, 30), c(150, 140), correct = FALSE))
put("two_shares", "p_value", two$p.value)
put("two_shares_small", "p_value", fisher.test(matrix(c(3, 7, 0, 12), 2))$p.value)
several <- prop.test(c(45, 30, 60), c(150, 140, 160), correct = FALSE)
put("several_shares", c("statistic", "p_value"), c(several$statistic, several$p.value))

# The three groups of the tests, see test_metrics.py
g1 <- c(12.5, 0, 33, 7.25, 18, 2, 54); g2 <- c(8, 9.5, 11, 40, 3); g3 <- c(1, 5, 2.5, 8, 0, 4)
t1 <- t.test(g1)
put("mean", c("estimate", "ci_low", "ci_high"), c(t1$estimate, t1$conf.int))
welch <- t.test(g2, g1)
put("two_means", c("statistic", "df", "p_value", "ci_low", "ci_high"),
    c(welch$statistic, welch$parameter, welch$p.value, welch$conf.int))
f <- oneway.test(y ~ g, data.frame(y = c(g1, g2, g3), g = rep(c("a", "b", "c"), c(7, 5, 6))))
put("several_means", c("statistic", "df_2", "p_value"), c(f$statistic, f$parameter[2], f$p.value))

w <- c(1, 2, 0.5, 1.5, 3, 1, 0.25)
m <- sum(w * g1) / sum(w)
put("weighted_mean", c("estimate", "se", "kish"),
    c(m, sqrt(7 / 6 * sum(w^2 * (g1 - m)^2)) / sum(w), sum(w)^2 / sum(w^2)))

adjusted <- function(p, s, d) {
  n <- p + s + d + 3; a <- (p + 0.75) / n; b <- (d + 0.75) / n
  a - b + c(-1, 1) * qnorm(0.975) * sqrt((a + b - (a - b)^2) / n)
}
score <- function(p, s, d) {
  n <- p + s + d
  z <- function(delta) {
    # the likelihood of detractors q given promoters q + delta
    loglik <- function(q) {
      terms <- c(p, d, s) * log(pmax(c(q + delta, q, 1 - 2 * q - delta), 1e-300))
      sum(terms[c(p, d, s) > 0])
    }
    q <- optimize(loglik, c(max(0, -delta), (1 - delta) / 2), maximum = TRUE, tol = 1e-14)$maximum
    (p - d - n * delta) / sqrt(n * (2 * q + delta - delta^2))
  }
  e <- (p - d) / n; k <- qnorm(0.975)
  c(uniroot(function(x) z(x) - k, c(-1 + 1e-9, e - 1e-9), tol = 1e-13)$root,
    uniroot(function(x) z(x) + k, c(e + 1e-9, 1 - 1e-9), tol = 1e-13)$root)
}
for (counts in list(c(162, 108, 54), c(50, 30, 20), c(12, 36, 2), c(3, 4, 9))) {
  case <- do.call(sprintf, c("nps_%d_%d_%d", as.list(counts)))
  put(case, c("adjusted_low", "adjusted_high"), 100 * do.call(adjusted, as.list(counts)))
  put(case, c("score_low", "score_high"), 100 * do.call(score, as.list(counts)))
}
set.seed(1)
bca <- boot::boot.ci(boot::boot(g1, function(x, i) mean(x[i]), 200000), type = "bca")$bca[4:5]
put("bca_mean", c("ci_low", "ci_high"), bca)
write.csv(do.call(rbind, rows), "metrics.csv", row.names = FALSE)
