# Reference values for cxstats.experiments, from base R 4.2: Rscript experiments.R
# CUPED: lm with groups and covariates (ANCOVA). Sample ratio: chisq.test. Bayesian view: the closed
# sum for whole numbers of P(B > A). Lift of means: Fieller's quadratic, written out. Sequential
# boundaries: the recursion on a fine grid with the trapezoidal rule (Reboussin and others 2000),
# which shares no code and no rule of integration with the package.
options(digits = 17)
rows <- list()
put <- function(case, name, value) rows[[length(rows) + 1]] <<- data.frame(case, name, value)

srm <- chisq.test(c(821588, 815482))
put("srm", c("statistic", "p_value"), c(srm$statistic, srm$p.value))
srm3 <- chisq.test(c(920, 480, 610), p = c(2, 1, 1) / 4)
put("srm3", c("statistic", "p_value"), c(srm3$statistic, srm3$p.value))

two <- prop.test(c(127, 83), c(1000, 1000), correct = FALSE)
put("shares", c("estimate", "p_value"), c(diff(rev(two$estimate)), two$p.value))

# The data of the tests: whole numbers made by a rule, no chance
i <- 0:59
group <- c("a", "b", "c")[i %% 3 + 1]
x1 <- (7 * i) %% 23
x2 <- (11 * i) %% 17 + (i %% 5)
y <- 3 * x1 - 2 * x2 + (13 * i) %% 19 + 4 * (group == "b") - 2 * (group == "c")
fit <- summary(lm(y ~ group + x1 + x2))$coefficients
put("ancova", c("b", "c", "theta1", "theta2"), fit[c("groupb", "groupc", "x1", "x2"), 1])
put("ancova_se", c("b", "c"), fit[c("groupb", "groupc"), 2])
welch <- t.test(y[group == "b"], y[group == "a"])
put("welch", c("estimate", "low", "high", "df", "p_value", "se"),
    c(mean(y[group == "b"]) - mean(y[group == "a"]), welch$conf.int, welch$parameter, welch$p.value,
      welch$stderr))

above <- function(control, treatment, prior) {  # P(treatment > control), whole numbers
  a <- prior + control[1]; b <- prior + control[2] - control[1]
  c <- prior + treatment[1]; d <- prior + treatment[2] - treatment[1]
  k <- 0:(c - 1)
  sum(exp(lbeta(a + k, b + d) - log(d + k) - lbeta(1 + k, d) - lbeta(a, b)))
}
put("bayes", "small", above(c(3, 20), c(9, 25), 1))
put("bayes", "medium", above(c(83, 1000), c(127, 1000), 1))
put("bayes", "uneven", above(c(210, 10000), c(9, 300), 2))

fieller <- function(m, v, z) {  # roots of (m1 - r m2)^2 = z^2 (v1 + r^2 v2)
  a <- m[2]^2 - z^2 * v[2]; b <- -2 * m[1] * m[2]; c <- m[1]^2 - z^2 * v[1]
  (-b + c(-1, 1) * sqrt(b^2 - 4 * a * c)) / (2 * a)
}
put("fieller", c("low", "high"), fieller(c(12, 10), c(0.8, 0.5), qnorm(0.975)) - 1)

bounds <- function(t, spent, h = 0.002) {
  done <- 0; z <- numeric(length(t)); x <- 0; mass <- 1; before <- 0
  for (k in seq_along(t)) {
    sd <- sqrt(t[k] - before)
    out <- function(b) sum(mass * (pnorm((x - b * sqrt(t[k])) / sd) + pnorm((-b * sqrt(t[k]) - x) / sd)))
    target <- spent[k] - done
    z[k] <- uniroot(function(b) log(out(b)) - log(target), c(0.1, 9), tol = 1e-12)$root
    done <- done + out(z[k])
    edge <- z[k] * sqrt(t[k]); m <- 2 * ceiling(edge / h) + 1
    grid <- seq(-edge, edge, length.out = m); w <- rep(grid[2] - grid[1], m); w[c(1, m)] <- w[1] / 2
    density <- vapply(grid, function(g) sum(mass * dnorm(g, x, sd)), 0)
    x <- grid; mass <- w * density; before <- t[k]
  }
  z
}
obf <- function(t, alpha) 4 * pnorm(qnorm(alpha / 4) / sqrt(t))
poc <- function(t, alpha) alpha * log(1 + (exp(1) - 1) * t)
uneven <- c(0.3, 0.45, 0.9, 1)
five <- (1:5) / 5
put("obrien_fleming_five", 1:5, bounds(five, obf(five, 0.05)))
put("pocock_five", 1:5, bounds(five, poc(five, 0.05)))
put("obrien_fleming_uneven", 1:4, bounds(uneven, obf(uneven, 0.01)))
put("pocock_uneven", 1:4, bounds(uneven, poc(uneven, 0.1)))
# Looks at other times than their error was spent for: error of 25, 50 and 100 %, information 2:3:7
put("overrun", 1:3, bounds(c(2, 3, 7) / 7, obf(c(0.25, 0.5, 1), 0.05)))

write.csv(do.call(rbind, rows), "experiments.csv", row.names = FALSE)
