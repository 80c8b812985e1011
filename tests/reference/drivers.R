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
#   group_lmg, group_r_squared   as lmg, of terms: factors and groups of columns enter at once
#   mcfadden, mcfadden_r_squared the same of 1 - logLik / logLik of the mean alone, by glm()
#   b, b_se, b_ci_low, b_ci_high lm() in the units of the answers; odds ratios and logits by glm()
#                                 (Wald, confint.default)
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
# Terms may be factors or several columns joined by " + ": worth() of every order, by definition.
shares <- function(terms, worth) {
  total <- setNames(numeric(length(terms)), names(terms))
  all <- orders(seq_along(terms))
  seen <- new.env()
  one <- function(i) {
    key <- paste(c("all", sort(i)), collapse = "|")
    if (is.null(seen[[key]])) assign(key, worth(paste(terms[i], collapse = " + "), length(i)), seen)
    seen[[key]]
  }
  for (o in all) for (i in seq_along(o))
    total[o[i]] <- total[o[i]] + one(o[seq_len(i)]) - one(o[seq_len(i - 1)])
  total / length(all)
}
long <- function(data, quantity, x) data.frame(data, quantity, driver = names(x), value = sprintf("%.16g", x))
grouped <- function(data, d, y, terms) {
  r2 <- function(f, k) if (k == 0) 0 else summary(lm(as.formula(paste(y, "~", f)), d))$r.squared
  m <- lm(as.formula(paste(y, "~", paste(terms, collapse = " + "))), d)
  ci <- confint(m)
  rbind(long(data, "group_lmg", shares(terms, r2)),
        long(data, "group_r_squared", c(all = summary(m)$r.squared)),
        long(data, "b", coef(m)), long(data, "b_se", sqrt(diag(vcov(m)))),
        long(data, "b_ci_low", ci[, 1]), long(data, "b_ci_high", setNames(ci[, 2], rownames(ci))))
}
logistic <- function(data, d, y, terms) {
  tight <- glm.control(epsilon = 1e-15, maxit = 100)
  fit <- function(f) glm(as.formula(paste(y, "~", f)), binomial, d, control = tight)
  null <- as.numeric(logLik(fit("1")))
  r2 <- function(f, k) if (k == 0) 0 else 1 - as.numeric(logLik(fit(f))) / null
  m <- fit(paste(terms, collapse = " + "))
  ci <- confint.default(m)
  rbind(long(data, "mcfadden", shares(terms, r2)),
        long(data, "mcfadden_r_squared", c(all = 1 - as.numeric(logLik(m)) / null)),
        long(data, "logit", coef(m)), long(data, "logit_se", sqrt(diag(vcov(m)))),
        long(data, "logit_ci_low", ci[, 1]), long(data, "logit_ci_high", setNames(ci[, 2], rownames(ci))))
}
cars <- mtcars
cars$cyl <- factor(cars$cyl)
cars$gear <- factor(cars$gear)
births <- infert
births$education <- factor(births$education)

out <- rbind(
  rows("swiss", swiss, "Fertility", setdiff(names(swiss), "Fertility")),
  rows("attitude", attitude, "rating", setdiff(names(attitude), "rating")),
  rows("mtcars", mtcars, "mpg", c("cyl", "disp", "hp", "gear")),
  grouped("mtcars_groups", cars, "mpg",
          c(wt = "wt", cyl = "cyl", gear = "gear", engine = "disp + hp")),
  logistic("infert", births, "case",
           c(age = "age", education = "education", spontaneous = "spontaneous", induced = "induced")))
write.csv(out, file.path(here, "drivers.csv"), row.names = FALSE, quote = FALSE)
