# Importances of drivers by their definitions, base R alone (run with R 4.2.2): relaimpo and
# relweights are not in Debian.
#
#   Rscript drivers.R
#
# Writes drivers.csv beside this script. quantities
#   lmg       mean rise of R2 of lm() over ALL orders of the drivers, one after the other
#   johnson   relative weights from Johnson (2000): the closest orthogonal variables Z of the
#             standardised drivers X = P D Q' are P Q'; Lambda* = coefficients of X on Z, beta* of
#             y on Z, weights Lambda*^2 beta*^2
#   beta, beta_se, beta_p, vif   lm(scale(y) ~ scale(x)); VIF from lm of a driver on the others
#   r_squared, adj_r_squared
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))
options(digits = 17)

orders <- function(v) if (length(v) < 2) list(v) else
  do.call(c, lapply(seq_along(v), function(i) lapply(orders(v[-i]), function(o) c(v[i], o))))
r2 <- function(d, y, x) if (length(x) == 0) 0 else
  summary(lm(reformulate(sprintf("`%s`", x), sprintf("`%s`", y)), d))$r.squared

lmg <- function(d, y, x) {
  seen <- new.env()
  one <- function(s) {
    key <- paste(c("all", sort(s)), collapse = "|")
    if (is.null(seen[[key]])) assign(key, r2(d, y, s), seen)
    seen[[key]]
  }
  total <- setNames(numeric(length(x)), x)
  all <- orders(x)
  for (o in all) for (i in seq_along(o))
    total[o[i]] <- total[o[i]] + one(o[seq_len(i)]) - one(o[seq_len(i - 1)])
  total / length(all)
}

johnson <- function(d, y, x) {
  X <- scale(as.matrix(d[x])) / sqrt(nrow(d) - 1)
  v <- scale(d[[y]]) / sqrt(nrow(d) - 1)
  s <- svd(X)
  Z <- s$u %*% t(s$v)
  lambda <- solve(t(Z) %*% Z, t(Z) %*% X)
  beta <- solve(t(Z) %*% Z, t(Z) %*% v)
  setNames(drop(t(lambda)^2 %*% beta^2), x)
}

rows <- function(data, d, y, x) {
  m <- summary(lm(reformulate(sprintf("`%s`", x), sprintf("`%s`", y)), as.data.frame(scale(d[c(x, y)]))))
  k <- m$coefficients[-1, , drop = FALSE]
  row <- function(quantity, driver, value) data.frame(data, quantity, driver, value = sprintf("%.16g", value))
  rbind(row("lmg", x, lmg(d, y, x)), row("johnson", x, johnson(d, y, x)),
        row("beta", x, k[, 1]), row("beta_se", x, k[, 2]), row("beta_p", x, k[, 4]),
        row("vif", x, sapply(x, function(j) 1 / (1 - r2(d, j, setdiff(x, j))))),
        row("r_squared", "", m$r.squared), row("adj_r_squared", "", m$adj.r.squared))
}
out <- rbind(
  rows("swiss", swiss, "Fertility", setdiff(names(swiss), "Fertility")),
  rows("attitude", attitude, "rating", setdiff(names(attitude), "rating")),
  rows("mtcars", mtcars, "mpg", c("cyl", "disp", "hp", "gear")))
write.csv(out, file.path(here, "drivers.csv"), row.names = FALSE, quote = FALSE)
