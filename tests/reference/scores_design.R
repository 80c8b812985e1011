# SERVQUAL gaps, groups, effect sizes and reliability under weights, clusters and strata, by R's
# survey package: Rscript tests/reference/scores_design.R. The data are paired_data.csv, the design
# is made up from its columns; expectations less 1 stand for a minimum.
library(survey)
options(digits = 17, survey.lonely.psu = "fail")
d <- read.csv("tests/reference/paired_data.csv")
d$w <- 1 + d$id %% 5
d$cluster <- d$id %% 17
d$stratum <- d$cluster %% 2
dimensions <- c("tangibles", "reliability", "responsiveness", "assurance", "empathy")
items <- function(role, x) as.matrix(d[grep(paste0("^", role, "_", x, "_"), names(d))])
for (x in dimensions) {
  d[[paste0("P_", x)]] <- rowMeans(items("P", x)); d[[paste0("E_", x)]] <- rowMeans(items("E", x))
  d[[x]] <- d[[paste0("P_", x)]] - d[[paste0("E_", x)]]
}
# Some have no gap on tangibles: those who have one are a domain.
d$tangibles[d$id %% 11 == 0] <- NA
d$Overall <- rowMeans(d[dimensions])
d$g2 <- factor(d$group2); d$g3 <- factor(d$group3)
designs <- list(
  weights = svydesign(ids = ~1, weights = ~w, data = d),
  cluster = svydesign(ids = ~cluster, weights = ~1, data = d),
  all = svydesign(ids = ~cluster, strata = ~stratum, weights = ~w, data = d)
)
rows <- list()
add <- function(design, score, what, value)
  rows[[length(rows) + 1]] <<- data.frame(design, score, what, value = as.numeric(value))
for (name in names(designs)) for (x in c(dimensions, "Overall")) {
  s <- subset(designs[[name]], !is.na(designs[[name]]$variables[[x]]))
  f <- as.formula(paste0("~", x)); n <- nrow(s$variables)
  m <- svymean(f, s); df <- degf(s); ci <- confint(m, df = df)
  for (v in list(c("mean", coef(m)), c("se", SE(m)), c("df", df), c("low", ci[1]), c("high", ci[2])))
    add(name, x, v[1], v[2])
  s <- update(s, y = get(x), y2 = get(x)^2)
  both <- svymean(~y + y2, s)
  effect <- svycontrast(both, substitute(quote(y / sqrt((y2 - y^2) * k)), list(k = n / (n - 1)))[[2]])
  add(name, x, "d", coef(effect)); add(name, x, "d_se", SE(effect))
  for (g in c("g2", "g3")) {
    by <- svyby(f, as.formula(paste0("~", g)), s, svymean, covmat = TRUE)
    groups <- levels(d[[g]])
    for (i in seq_along(groups)) {
      add(name, x, paste(g, groups[i], "mean"), coef(by)[i]); add(name, x, paste(g, groups[i], "se"), SE(by)[i])
      add(name, x, paste(g, groups[i], "df"), degf(subset(s, get(g) == groups[i])))
    }
    for (p in combn(seq_along(groups), 2, simplify = FALSE)) {
      weights <- rep(0, length(groups)); weights[p] <- c(1, -1); names(weights) <- names(coef(by))
      contrast <- svycontrast(by, weights)
      pair <- paste(g, groups[p[1]], groups[p[2]])
      add(name, x, paste(pair, "difference"), coef(contrast)); add(name, x, paste(pair, "se"), SE(contrast))
      add(name, x, paste(pair, "df"), degf(subset(s, get(g) %in% groups[p])))
    }
    q <- length(groups) - 1; A <- cbind(-1, diag(q)); v <- A %*% vcov(by) %*% t(A); b <- A %*% coef(by)
    wald <- as.numeric(t(b) %*% solve(v, b)); df <- degf(s)
    add(name, x, paste(g, "F"), wald * (df - q + 1) / (df * q))
    add(name, x, paste(g, "p"), pf(wald * (df - q + 1) / (df * q), q, df - q + 1, lower.tail = FALSE))
  }
}
# The ratio of two means, with the covariances that Fieller's interval needs.
for (name in names(designs)) {
  s <- update(designs[[name]], above = P_empathy - E_assurance + 1, width = E_empathy - E_assurance + 1)
  m <- svymean(~above + width, s); v <- vcov(m); df <- degf(s)
  t2 <- qt(.975, df)^2; a <- coef(m)[1]; b <- coef(m)[2]
  bounds <- sort(Re(polyroot(c(a^2 - t2 * v[1, 1], -2 * (a * b - t2 * v[1, 2]), b^2 - t2 * v[2, 2]))))
  add(name, "zone", "position", a / b); add(name, "zone", "low", bounds[1]); add(name, "zone", "high", bounds[2])
}
# Reliability of the difference from weighted moments.
alpha <- function(v) ncol(v) / (ncol(v) - 1) * (1 - sum(diag(v)) / sum(v))
for (x in setdiff(dimensions, "tangibles")) {
  p <- items("P", x); e <- items("E", x)
  cov_of <- function(y) cov.wt(y, d$w / sum(d$w), method = "ML")$cov
  v <- cov_of(cbind(rowMeans(p), rowMeans(e)))
  error <- v[1, 1] * (1 - alpha(cov_of(p))) + v[2, 2] * (1 - alpha(cov_of(e)))
  add("weights", x, "r_D", 1 - error / (v[1, 1] + v[2, 2] - 2 * v[1, 2]))
  add("weights", x, "alpha_gap", alpha(cov_of(p - e)))
}
write.csv(do.call(rbind, rows), "tests/reference/scores_design.csv", row.names = FALSE, quote = FALSE)
