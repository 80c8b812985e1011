# Linear and logistic regressions under weights, clusters and strata, by R's survey package.
# Rscript tests/reference/drivers_design.R, with the packages survey and lavaan (for its data).
# The data and the made-up design are those of sampling_design.R; high is x1 above 5.
library(survey)
hs <- lavaan::HolzingerSwineford1939
hs$w <- 1 + hs$agemo / 4
hs$cluster <- hs$ageyr * 100 + hs$agemo
hs$high <- as.numeric(hs$x1 > 5)
hs$x3[hs$id %% 9 == 0] <- NA
designs <- list(
  weights = svydesign(ids = ~1, weights = ~w, data = hs),
  cluster = svydesign(ids = ~cluster, weights = ~1, data = hs),
  weights_cluster = svydesign(ids = ~cluster, weights = ~w, data = hs),
  all = svydesign(ids = ~cluster, strata = ~school, weights = ~w, data = hs, nest = TRUE,
                  check.strata = FALSE)
)
options(digits = 15, survey.lonely.psu = "fail")
rows <- list()
add <- function(design, model, fit) {
  ci <- confint(fit)
  rows[[length(rows) + 1]] <<- data.frame(
    design, model, term = names(coef(fit)), estimate = as.numeric(coef(fit)), se = as.numeric(SE(fit)),
    ci_low = ci[, 1], ci_high = ci[, 2], df = fit$df.residual, row.names = NULL)
}
for (name in names(designs)) {
  d <- designs[[name]]
  add(name, "linear", svyglm(x1 ~ x2 + x3 + school, d))
  tight <- glm.control(epsilon = 1e-15, maxit = 100)
  add(name, "logistic", svyglm(high ~ x2 + x3 + school, d, family = quasibinomial, control = tight))
}
out <- do.call(rbind, rows)
write.csv(out, "tests/reference/drivers_design.csv", row.names = FALSE, quote = FALSE)
