# CB-SEM: correlations and scores of latents, corrections of chi-square for small samples, an unsound optimum.
# (run with R 4.2.2, lavaan 0.6-14, semTools 0.5-6, numDeriv)
#
#   Rscript sem_diagnostics.R MOBI.csv
#
# Every point is lavaan's default fit, polished by Newton steps on lavaan's own gradient with lavaan's
# Hessian (max |gradient| < 1e-9 is asserted), then handed back with optim.method = "none". lavaan's
# optimiser does not reach the optimum of mobi_ecsi at all: its last point is the start of the Newton
# steps, halved while F does not fall, which end at a gradient below 1e-9.
#
# sem_latent_correlations.csv  lavInspect(fit, "cor.lv"); se by numDeriv::jacobian of the same and vcov(fit)
# sem_factor_scores.csv        lavPredict(fit, method = ...), rows named as in the data (from 1)
# sem_determinacy.csv          correlation of a score with its latent, from lavaan's matrices
# sem_small_samples.csv        semTools::chisqSmallN()
# sem_unsound.csv              fitMeasures(), R2 and the comparison with reduced models, mobi_ecsi
suppressPackageStartupMessages(suppressMessages({library(lavaan); library(semTools)}))
args <- commandArgs(TRUE); if (!length(args)) stop("usage: Rscript sem_diagnostics.R MOBI.csv")
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))
mobi <- read.csv(args[1]); stopifnot(nrow(mobi) == 250, !anyNA(mobi))
text <- function(model) paste0(readLines(file.path(here, "sem_models", paste0(model, ".lav"))), "\n", collapse = "")
hidden <- function(name) getFromNamespace(name, "lavaan")
hessian <- hidden("lav_model_hessian"); formals(hessian)$h <- 2e-4
digits <- function(x) { x <- unname(unclass(x)); ifelse(is.na(x), "", sprintf("%.15g", x)) }
tables <- list()
add <- function(table, ...) tables[[table]] <<- c(tables[[table]], list(data.frame(..., row.names = NULL, check.names = FALSE)))

polish <- function(fitter, model, frame, ..., name) {
  go <- function(...) { f <- NULL; capture.output(f <- suppressWarnings(do.call(fitter, modifyList(
    list(model = model, data = frame, em.h1.tol = 1e-12, em.h1.iter.max = 100000L, estimator = "ML"), list(...))))); f }
  first <- go(...)
  at <- function(x) hidden("lav_model_set_parameters")(first@Model, x = x)
  value <- function(x) { v <- as.numeric(hidden("lav_model_objective")(at(x), lavsamplestats = first@SampleStats, lavdata = first@Data)); if (is.finite(v)) v else Inf }
  slope <- function(x) as.numeric(hidden("lav_model_gradient")(at(x), lavsamplestats = first@SampleStats, lavdata = first@Data))
  x <- first@optim$x
  K <- if (first@Model@eq.constraints) first@Model@eq.constraints.K else diag(length(x))   # linear equalities
  for (i in 1:500) {
    g <- as.numeric(slope(x) %*% K); H <- t(K) %*% hessian(at(x), first@SampleStats, first@Data, first@Options) %*% K
    d <- 1 / sqrt(abs(diag(H))); e <- eigen(d * t(d * t(H)), symmetric = TRUE)
    step <- -d * (e$vectors %*% ((t(e$vectors) %*% (d * g)) / pmax(abs(e$values), 1e-12)))[, 1]
    step <- as.numeric(K %*% step)
    size <- 1; while (value(x + size * step) > value(x) + 1e-13 && size > 1e-8) size <- size / 2
    x <- x + size * step
    if (max(abs(step)) < 1e-11 || (max(abs(g)) < 1e-11 && i > 3)) break
  }
  g <- max(abs(slope(x) %*% K)); cat(sprintf("%-28s steps %3d gradient %.0e smallest eigenvalue %.0e\n", name, i, g, min(e$values)))
  stopifnot(g < 1e-9)
  table <- parTable(first); table$est[table$free > 0] <- x; table$ustart <- table$start <- table$est; table$se <- NULL
  f <- go(..., start = table, optim.method = "none", optim.force.converged = TRUE, fixed.x = TRUE)
  stopifnot(max(abs(coef(f) - x)) < 1e-12)
  f
}

holed <- function(mask) {
  frame <- HolzingerSwineford1939
  out <- if (mask == "mar") read.csv(file.path(here, "sem_missing_mar.csv")) else read.csv(file.path(here, "sem_missing_mcar.csv"))
  if (mask != "mar") out <- out[out$share <= as.numeric(substring(mask, 5)), ]
  out <- out[out$data == "holzinger", ]
  for (i in seq_len(nrow(out))) frame[out$row[i], out$column[i]] <- NA
  frame
}
cases <- list(
  holzinger = list("cfa", "holzinger", HolzingerSwineford1939),
  means = list("cfa", "holzinger", HolzingerSwineford1939, meanstructure = TRUE),
  groups = list("cfa", "holzinger", HolzingerSwineford1939, group = "school", group.equal = c("loadings", "intercepts")),
  second_order = list("cfa", "holzinger_second_order", HolzingerSwineford1939),
  politicaldemocracy = list("sem", "politicaldemocracy", PoliticalDemocracy),
  mimic = list("sem", "mimic", HolzingerSwineford1939),
  mobi_five = list("sem", "mobi_five_plain", mobi),
  fiml_mar = list("cfa", "holzinger", holed("mar"), missing = "ml"),
  fiml_groups = list("cfa", "holzinger", holed("mcar20"), missing = "ml", group = "school"))
for (case in names(cases)) {
  o <- cases[[case]]
  fit <- do.call(polish, c(list(o[[1]], text(o[[2]]), o[[3]], name = case), o[-(1:3)]))
  G <- lavInspect(fit, "ngroups"); per <- function(x) if (G == 1) list(x) else x
  labels <- if (G == 1) "1" else lavInspect(fit, "group.label")
  correlations <- function(x) {
    m <- fit; m@Model <- hidden("lav_model_set_parameters")(fit@Model, x = x)
    m@Model@GLIST -> GLIST
    unlist(lapply(hidden("computeVETA")(m@Model, GLIST = GLIST, remove.dummy.lv = TRUE), function(v) { r <- cov2cor(v); r[lower.tri(r)] }))
  }
  x <- hidden("lav_model_get_parameters")(fit@Model)
  R <- per(lavInspect(fit, "cor.lv"))
  stopifnot(max(abs(unlist(lapply(R, function(r) r[lower.tri(r)])) - correlations(x))) < 1e-12)
  J <- numDeriv::jacobian(correlations, x)
  se <- sqrt(diag(J %*% fit@vcov$vcov %*% t(J)))
  i <- which(lower.tri(R[[1]]), arr.ind = TRUE); v <- rownames(R[[1]])
  add("latent_correlations", case = case, group = rep(labels, each = nrow(i)), first = v[i[, 2]], second = v[i[, 1]],
      estimate = digits(correlations(x)), se = digits(se))
  for (method in c("regression", "Bartlett")) {
    s <- try(suppressWarnings(lavPredict(fit, method = method)), silent = TRUE)
    if (inherits(s, "try-error")) { cat("   ", case, method, "refused:", conditionMessage(attr(s, "condition")), "\n"); next }
    s <- per(s); rows <- lavInspect(fit, "case.idx"); rows <- per(rows)
    for (g in seq_len(G)) {
      stopifnot(nrow(s[[g]]) == length(rows[[g]]))
      k <- seq(1, nrow(s[[g]]), by = 7)                        # every seventh case will do
      for (f in colnames(s[[g]])) add("factor_scores", case = case, method = tolower(method), latent = f, row = rows[[g]][k], score = digits(s[[g]][k, f]))
    }
  }
  if (case %in% c("holzinger", "groups", "mobi_five", "politicaldemocracy")) for (g in seq_len(G)) {
    e <- per(lavInspect(fit, "est"))[[g]]; S <- unclass(per(lavInspect(fit, "implied"))[[g]]$cov)
    C <- unclass(per(lavInspect(fit, "cov.lv"))[[g]]); L <- unclass(e$lambda); T <- unclass(e$theta)
    A <- C %*% t(L) %*% solve(S); B <- solve(t(L) %*% solve(T) %*% L) %*% t(L) %*% solve(T)
    for (m in list(list("regression", A), list("bartlett", B))) {
      K <- m[[2]]
      add("determinacy", case = case, method = m[[1]], group = labels[g], latent = rownames(C),
          determinacy = digits(diag(K %*% L %*% C) / sqrt(diag(K %*% S %*% t(K)) * diag(C))))
    }
  }
  if (!grepl("fiml|mimic", case)) {
    t <- suppressMessages(chisqSmallN(fit, smallN.method = c("swain", "bartlett", "yuan.2015")))
    for (m in names(t)) add("small_samples", case = case, method = m, chisq = digits(t[[m]][["chisq"]]), df = t[[m]][["df"]], p = digits(pchisq(t[[m]][["chisq"]], t[[m]][["df"]], lower.tail = FALSE)))
  }
}
full_text <- text("mobi_ecsi")
full <- polish("sem", full_text, mobi, name = "mobi_ecsi")
reduced <- polish("sem", sub("Value ~ Expectation + Quality", "Value ~ Quality", sub("Satisfaction ~ Image + Expectation + Quality + Value",
  "Satisfaction ~ Quality + Value", full_text, fixed = TRUE), fixed = TRUE), mobi, name = "mobi_ecsi reduced")
null <- cfa(paste(lavNames(full), "~~", lavNames(full)), mobi)         # the baseline model, which is in closed form
for (m in list(list("full", full), list("reduced", reduced))) {
  v <- unclass(fitMeasures(m[[2]], baseline.model = null, fit.measures = c("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "srmr", "aic", "bic", "logl")))
  v["pvalue"] <- pchisq(v["chisq"], v["df"], lower.tail = FALSE)
  add("unsound", model = m[[1]], index = names(v), value = digits(v))
  r <- lavInspect(m[[2]], "rsquare"); add("unsound", model = m[[1]], index = paste0("r2_", names(r)), value = digits(r))
}
t <- lavTestLRT(full, reduced)
add("unsound", model = "comparison", index = c("chisq", "df", "pvalue"), value = digits(c(t$`Chisq diff`[2], t$`Df diff`[2], t$`Pr(>Chisq)`[2])))
for (name in names(tables)) write.csv(do.call(rbind, tables[[name]]), file.path(here, paste0("sem_", name, ".csv")), row.names = FALSE, quote = FALSE)
