# Standard errors of omega, CR, AVE by the delta method (lavaan's covariances), normal theory and robust, and of
# alpha under a design (survey): Rscript tests/reference/factor_errors.R. Holzinger and Swineford's
# data, which lavaan carries; the design is that of sampling_design.R.
library(lavaan); library(survey)
options(digits = 17)
hs <- HolzingerSwineford1939
blocks <- list(visual = paste0("x", 1:3), textual = paste0("x", 4:6), speed = paste0("x", 7:9))
lines <- sapply(names(blocks), function(f) {
  x <- blocks[[f]]
  paste(c(paste(f, "=~", paste0("l", x, "*", x, collapse = " + ")), paste0(x, " ~~ t", x, "*", x)), collapse = "\n")
})
coefficients <- function(b, x) {
  l <- b[paste0("l", x)]; t <- b[paste0("t", x)]; s <- l / sqrt(l^2 + t)
  c(omega = sum(l)^2 / (sum(l)^2 + sum(t)), cr = sum(s)^2 / (sum(s)^2 + sum(1 - s^2)), ave = mean(s^2))
}
rows <- list()
for (kind in c("ML", "MLM")) {
  fit <- cfa(paste(lines, collapse = "\n"), hs, std.lv = TRUE, estimator = kind, meanstructure = FALSE,
             optim.method = "gn", optim.gn.tol.x = 1e-13, optim.gn.iter.max = 5000)
  b <- coef(fit); v <- vcov(fit)
  for (f in names(blocks)) {
    g <- numDeriv::jacobian(function(y) coefficients(setNames(y, names(b)), blocks[[f]]), b)
    value <- coefficients(b, blocks[[f]])
    rows[[paste(kind, f)]] <- data.frame(kind, what = paste0(names(value), "_", f), estimate = value,
                                         se = sqrt(diag(g %*% v %*% t(g))))
  }
}
hs$w <- 1 + hs$agemo / 4; hs$cluster <- hs$ageyr * 100 + hs$agemo
design <- svydesign(ids = ~cluster, strata = ~school, weights = ~w, data = hs, nest = TRUE)
for (f in names(blocks)) {
  x <- blocks[[f]]; pairs <- which(lower.tri(diag(3), TRUE), arr.ind = TRUE)
  products <- apply(pairs, 1, function(ij) hs[[x[ij[1]]]] * hs[[x[ij[2]]]])
  d <- design; d$variables[paste0("m", 1:6)] <- products
  m <- svymean(as.formula(paste("~", paste(c(x, paste0("m", 1:6)), collapse = "+"))), d)
  alpha <- function(b) {
    v <- matrix(0, 3, 3); v[pairs] <- b[4:9]; v <- v + t(v) - diag(diag(v)) - b[1:3] %o% b[1:3]
    3 / 2 * (1 - sum(diag(v)) / sum(v))
  }
  g <- numDeriv::grad(alpha, coef(m))
  rows[[f]] <- data.frame(kind = "design", what = paste0("alpha_", f), estimate = alpha(coef(m)),
                          se = sqrt(as.numeric(t(g) %*% vcov(m) %*% g)))
}
write.csv(do.call(rbind, rows), "tests/reference/factor_errors.csv", row.names = FALSE, quote = FALSE)
