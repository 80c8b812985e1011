# CB-SEM under a sampling design: weights, clusters, strata.
# (run with R 4.2.2, lavaan 0.6-14, survey 4.1-1)
#
#   Rscript sem_design.R
#
# The data are lavaan's HolzingerSwineford1939 with weights, clusters (some of them in both schools)
# and strata drawn here: sem_design_data.csv; `gap_*` are x4, x6 and x9 with answers missing at random.
# Estimates are polished by Newton steps on lavaan's gradient to below 1e-10, then the point is handed
# back with optim.method = "none", as in sem_extensions.R; lav_model_hessian has step 2e-4 instead of
# 1e-6, the baseline model is polished in the same way, moments of the saturated model with missing
# answers go to 1e-12.
#
# sem_design_estimates.csv  lhs, op, rhs, group, est, se of every free parameter
# sem_design_indices.csv    fitMeasures(); scaling factors come with the tests
#   case: w weights, c clusters, wc both; complete or fiml (gaps); groups none, configural, scalar.
#   observed.information is "hessian" for errors and tests alike (lavaan's default of the tests is "h1"
#   with clusters alone), meanstructure TRUE.
# sem_design_sandwich.csv   se of the scalar model with clusters that lie in both schools, from
#   casewise scores summed over clusters of both groups, C / (C - 1), and the Hessian (numDeriv)
# sem_design_survey.csv     svyglm of x4 ~ x1 + x2 with weights, clusters, strata: est, se
# sem_design_difference.csv lavTestLRT of the steps, clusters and weights
suppressPackageStartupMessages(suppressMessages({library(lavaan); library(survey)}))
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))
hidden <- function(name) getFromNamespace(name, "lavaan")
replace_hidden <- function(name, f) assignInNamespace(name, f, "lavaan")
hessian <- hidden("lav_model_hessian"); formals(hessian)$h <- 2e-4; replace_hidden("lav_model_hessian", hessian)
digits <- function(x) { x <- unname(unclass(x)); ifelse(is.na(x), "", sprintf("%.15g", x)) }

newton <- function(fit) {
  x <- fit@optim$x; H <- NULL; m <- fit@Model
  for (i in 1:40) {
    at <- hidden("lav_model_set_parameters")(m, x = x)
    g <- hidden("lav_model_gradient")(at, lavsamplestats = fit@SampleStats, lavdata = fit@Data)
    J <- if (is.null(body(m@ceq.function))) matrix(0, 0, length(x)) else m@ceq.JAC
    if (is.null(H)) H <- hessian(at, fit@SampleStats, fit@Data, fit@Options)
    k <- nrow(J); rest <- as.numeric(if (k) g - t(J) %*% qr.solve(t(J), g) else g)
    K <- rbind(cbind(H, t(J)), cbind(J, matrix(0, k, k)))
    step <- solve(K, -c(rest, if (k) m@ceq.function(x) else numeric()))[seq_along(x)]
    x <- x + step
    if (max(abs(step)) < 1e-13) break
  }
  stopifnot(max(abs(rest)) < 1e-10)
  x
}
baseline <- hidden("lav_object_independence")
replace_hidden("lav_object_independence", function(...) {
  f <- baseline(...)
  if (f@Options$estimator != "ML" || f@optim$npar == 0) return(f)
  x <- newton(f); table <- parTable(f)
  table$est[table$free > 0] <- x; table$ustart <- table$start <- table$est; table$se <- NULL
  o <- f@Options; o$optim.method <- "none"; o$optim.force.converged <- TRUE; o$start <- table
  lavaan(table, slotOptions = o, slotSampleStats = f@SampleStats, slotData = f@Data, slotCache = f@Cache, sloth1 = f@h1)
})
polish <- function(model, frame, ...) {
  call <- list(model = model, data = frame, estimator = "MLR", meanstructure = TRUE, em.h1.tol = 1e-12,
               em.h1.iter.max = 100000L, observed.information = c("hessian", "hessian"), ...)
  go <- function(...) { f <- NULL; capture.output(f <- suppressWarnings(do.call("sem", modifyList(call, list(...))))); f }
  first <- go(se = "none", test = "none", baseline = FALSE)
  x <- newton(first); table <- parTable(first); table$est[table$free > 0] <- x
  f <- go(start = table, optim.method = "none")
  stopifnot(max(abs(coef(f) - x)) < 1e-12)
  f
}

d <- HolzingerSwineford1939
set.seed(20261127); n <- nrow(d)
d$weight <- round(exp(rnorm(n, sd = .6)), 2)
d$cluster <- sample(48, n, TRUE)
d$nested <- d$cluster + 100 * (d$school == "Pasteur")              # clusters within schools
d$stratum <- c("a", "b", "c")[1 + d$cluster %% 3]
for (v in c("x4", "x6", "x9")) d[[paste0("gap_", v)]] <- ifelse(runif(n) < plogis(-1.6 - .5 * (d$x1 - 5)), NA, d[[v]])
write.csv(d[c("school", paste0("x", 1:9), "weight", "cluster", "nested", "stratum", "gap_x4", "gap_x6", "gap_x9")],
          file.path(here, "sem_design_data.csv"), row.names = FALSE, quote = FALSE, na = "")

model <- "visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6\n speed =~ x7 + x8 + x9"
gaps <- d; for (v in c("x4", "x6", "x9")) gaps[[v]] <- gaps[[paste0("gap_", v)]]
mimic <- "visual =~ x1 + x2 + x3\n visual ~ x7 + x8\n x9 ~ visual + x7"
designs <- list(w = list(sampling.weights = "weight"), c = list(cluster = "nested"), wc = list(sampling.weights = "weight", cluster = "nested"))
equal <- list(configural = "none", metric = "loadings", scalar = c("loadings", "intercepts"))
est <- ind <- diff <- NULL; kept <- list()
save <- function(f, ...) {
  e <- parameterEstimates(f, remove.eq = FALSE); e <- e[e$se > 0 & e$op != "==", ]
  est <<- rbind(est, data.frame(..., lhs = e$lhs, op = e$op, rhs = e$rhs, group = if (is.null(e$group)) 1 else e$group, est = digits(e$est), se = digits(e$se)))
  v <- suppressWarnings(unclass(fitMeasures(f, c("chisq", "df", "chisq.scaled", "chisq.scaling.factor", "baseline.chisq", "baseline.chisq.scaling.factor",
        "cfi", "cfi.scaled", "tli.scaled", "rmsea.scaled", "cfi.robust", "tli.robust", "rmsea.robust", "logl", "unrestricted.logl", "srmr"))))
  ind <<- rbind(ind, data.frame(..., index = names(v), value = digits(v)))
}
for (k in names(designs)) {
  go <- function(m, frame, ...) do.call(polish, c(list(m, frame), designs[[k]], list(...)))
  save(go(model, d), model = "factors", case = k, data = "complete", step = "none")
  save(go(model, gaps, missing = "ml"), model = "factors", case = k, data = "fiml", step = "none")
  save(go(mimic, d, fixed.x = TRUE), model = "mimic", case = k, data = "complete", step = "none")
  for (s in names(equal)) {
    kept[[paste(k, s)]] <- go(model, d, group = "school", group.equal = equal[[s]])
    save(kept[[paste(k, s)]], model = "factors", case = k, data = "complete", step = s)
  }
  save(go(model, gaps, missing = "ml", group = "school"), model = "factors", case = k, data = "fiml", step = "configural")
  t <- suppressWarnings(lavTestLRT(kept[[paste(k, "configural")]], kept[[paste(k, "metric")]]))
  diff <- rbind(diff, data.frame(case = k, chisq = digits(t$`Chisq diff`[2]), df = t$`Df diff`[2]))
}

# Clusters that lie in both schools, and equalities over groups: the sandwich from casewise
# scores (differences of the casewise log-likelihood of lavaan's implied moments).
for (k in c("c", "wc")) {
  o <- if (k == "c") list() else list(sampling.weights = "weight")
  f <- do.call(polish, c(list(model, d, group = "school", group.equal = c("loadings", "intercepts")), o))
  p <- parTable(f); free <- p$free > 0
  x <- newton(f)
  # casewise derivatives of the log-likelihood by finite differences of lavaan's own casewise values
  ll <- function(x) {
    at <- hidden("lav_model_set_parameters")(f@Model, x = x); im <- hidden("lav_model_implied")(at)
    out <- numeric(n)
    for (g in 1:2) {
      y <- f@Data@X[[g]]; idx <- f@Data@case.idx[[g]]; S <- im$cov[[g]]; z <- sweep(y, 2, im$mean[[g]])
      out[idx] <- -(log(det(S)) + rowSums((z %*% solve(S)) * z)) / 2
    }
    out
  }
  w <- if (k == "c") rep(1, n) else d$weight / mean(d$weight)
  S <- numDeriv::jacobian(ll, x) * w
  H <- -numDeriv::hessian(function(x) sum(w * ll(x)), x)
  J <- f@Model@ceq.JAC; K <- MASS::Null(t(J))                      # directions along the equalities
  T <- rowsum(S %*% K, d$cluster); C <- nrow(T)
  T <- sweep(T, 2, colMeans(T)); B <- crossprod(T) * C / (C - 1)
  A <- solve(t(K) %*% H %*% K); V <- K %*% A %*% B %*% A %*% t(K)
  out <- data.frame(case = k, lhs = p$lhs[free], op = p$op[free], rhs = p$rhs[free], group = p$group[free], est = digits(x), se = digits(sqrt(diag(V))))
  sand <- if (k == "c") out else rbind(sand, out)
}

survey_rows <- NULL
for (k in c("weights", "cluster", "strata")) {
  des <- switch(k, weights = svydesign(~1, weights = ~weight, data = d), cluster = svydesign(~cluster, weights = ~weight, data = d),
                strata = svydesign(~cluster, strata = ~stratum, weights = ~weight, data = d))
  s <- coef(summary(svyglm(x4 ~ x1 + x2, des)))
  survey_rows <- rbind(survey_rows, data.frame(design = k, term = rownames(s), est = digits(s[, 1]), se = digits(s[, 2])))
}
out <- function(frame, name) write.csv(frame, file.path(here, paste0("sem_design_", name, ".csv")), row.names = FALSE, quote = FALSE)
out(est, "estimates"); out(ind, "indices"); out(sand, "sandwich"); out(survey_rows, "survey"); out(diff, "difference")
