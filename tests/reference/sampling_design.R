# Means, a ratio of means and a regression under weights, clusters and strata, by R's survey package.
# Rscript tests/reference/sampling_design.R, with the packages survey and lavaan (for its data).
# The data are Holzinger and Swineford's, which lavaan carries; the design is made up from columns.
library(survey)
hs <- lavaan::HolzingerSwineford1939
hs$w <- 1 + hs$agemo / 4
hs$cluster <- hs$ageyr * 100 + hs$agemo
hs$missing_x1 <- ifelse(hs$id %% 7 == 0, NA, hs$x1)
designs <- list(
  weights = svydesign(ids = ~1, weights = ~w, data = hs),
  cluster = svydesign(ids = ~cluster, weights = ~1, data = hs),
  weights_cluster = svydesign(ids = ~cluster, weights = ~w, data = hs),
  all = svydesign(ids = ~cluster, strata = ~school, weights = ~w, data = hs, nest = TRUE,
                  check.strata = FALSE)
)
options(digits = 15, survey.lonely.psu = "fail")
rows <- list()
add <- function(design, what, estimate, se, df) {
  rows[[length(rows) + 1]] <<- data.frame(design = design, what = what, estimate = as.numeric(estimate), se = as.numeric(se),
                                          df = df, row.names = NULL)
}
for (name in names(designs)) {
  d <- designs[[name]]
  if (name == "all") {  # clusters that are alone in their stratum do not occur, or this would fail
    stopifnot(all(table(unique(data.frame(hs$school, hs$cluster))[, 1]) > 1))
  }
  for (x in c("x1", "x2", "x3")) {
    m <- svymean(as.formula(paste0("~", x)), d)
    add(name, x, coef(m), SE(m), degf(d))
  }
  m <- svymean(~missing_x1, d, na.rm = TRUE)
  add(name, "missing_x1", coef(m), SE(m), degf(d))
  r <- svyratio(~x1, ~x2, d)
  add(name, "x1/x2", coef(r), SE(r), degf(d))
  g <- svyglm(x1 ~ x2 + x3, d)
  add(name, paste0("beta_", names(coef(g))), coef(g), SE(g), degf(d))
  b <- svyby(~x1, ~sex, d, svymean)
  add(name, paste0("x1_sex", b$sex), b$x1, b$se, degf(d))
}
out <- do.call(rbind, rows)
write.csv(out, "tests/reference/sampling_design.csv", row.names = FALSE,
          quote = FALSE)
