# NPS, shares and means by group under clusters, strata and weights, by R's survey package.
# Rscript tests/reference/metrics_design.R, with the packages survey and lavaan (for its data).
# The data are Holzinger and Swineford's, which lavaan carries; answers and design are made of columns.
library(survey)
hs <- lavaan::HolzingerSwineford1939
hs$w <- 1 + hs$agemo / 4
hs$cluster <- hs$ageyr * 100 + hs$agemo
hs$score <- pmin(10, pmax(0, floor(hs$x1 * 1.7)))
hs$score[hs$id %% 11 == 0] <- NA
hs$nps <- 100 * (hs$score >= 9) - 100 * (hs$score <= 6)
hs$top <- as.numeric(hs$score >= 9)
hs$part <- ifelse(hs$x2 < 5.5, "a", ifelse(hs$x2 < 7, "b", "c"))
options(digits = 15, survey.lonely.psu = "fail")
designs <- list(
  cluster = svydesign(ids = ~cluster, weights = ~1, data = hs),
  weights_cluster = svydesign(ids = ~cluster, weights = ~w, data = hs),
  strata = svydesign(ids = ~1, strata = ~school, weights = ~1, data = hs),
  all = svydesign(ids = ~cluster, strata = ~school, weights = ~w, data = hs, nest = TRUE)
)
rows <- list()
add <- function(design, metric, what, value) {
  rows[[length(rows) + 1]] <<- data.frame(design = design, metric = metric, what = what,
                                          value = format(as.numeric(value), digits = 15),
                                          row.names = NULL)
}
for (name in names(designs)) {
  d <- subset(designs[[name]], !is.na(score))  # those who answered, a domain of the sample
  for (metric in c("nps", "top", "score")) {
    f <- as.formula(paste0("~", metric))
    m <- svymean(f, d)
    add(name, metric, "estimate", coef(m))
    add(name, metric, "se", SE(m))
    b <- svyby(f, ~part, d, svymean, covmat = TRUE)
    v <- vcov(b)
    for (i in 1:3) {
      add(name, metric, paste0("estimate_", b$part[i]), coef(b)[i])
      for (j in i:3) add(name, metric, paste0("cov_", b$part[i], b$part[j]), v[i, j])
      # The design of those who answered, whose degrees of freedom the interval has.
      own <- subset(d, part == b$part[i])
      add(name, metric, paste0("df_", b$part[i]), degf(own))
      if (metric == "top") {
        ci <- attr(svyciprop(~top, own, method = "beta"), "ci")
        add(name, metric, paste0("low_", b$part[i]), ci[1])
        add(name, metric, paste0("high_", b$part[i]), ci[2])
      }
    }
    k <- svycontrast(b, c(-1, 1, 0))
    add(name, metric, "contrast_b_a", coef(k))
    add(name, metric, "contrast_se_b_a", SE(k))
    two <- subset(d, part %in% c("a", "b"))
    t <- svyttest(as.formula(paste0(metric, " ~ part")), two)
    add(name, metric, "t_b_a", t$statistic)
    add(name, metric, "t_df_b_a", t$parameter)
    add(name, metric, "t_p_b_a", t$p.value)
    g <- svyglm(as.formula(paste0(metric, " ~ part")), d)
    r <- regTermTest(g, ~part)
    add(name, metric, "F", r$Ftest)
    add(name, metric, "F_df", r$ddf)
    add(name, metric, "F_p", r$p)
  }
}
out <- do.call(rbind, rows)
out$value <- trimws(out$value)
write.csv(out, "tests/reference/metrics_design.csv", row.names = FALSE, quote = FALSE)
