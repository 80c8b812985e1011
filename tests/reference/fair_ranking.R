# Mixed models with random intercepts by REML: variances, coefficients, conditional modes, prediction
# error variances (with the coefficients estimated), and the restricted deviance.
# Run: Rscript tests/reference/fair_ranking.R (R with lme4)

library(lme4)

rows <- list()
record <- function(model, fit) {
  variances <- as.data.frame(VarCorr(fit))
  add <- function(quantity, name, value) rows[[length(rows) + 1]] <<- data.frame(
    model = model, quantity = quantity, name = name, value = sprintf("%.10g", value))
  for (i in seq_len(nrow(variances))) add("variance", variances$grp[i], variances$vcov[i])
  for (name in names(fixef(fit))) {
    add("coefficient", name, fixef(fit)[[name]])
    add("se", name, sqrt(diag(as.matrix(vcov(fit))))[[name]])
  }
  add("deviance", "REML", REMLcrit(fit))
  for (factor in names(ranef(fit))) {
    modes <- ranef(fit)[[factor]]
    for (i in seq_len(min(6, nrow(modes)))) add(paste0("mode.", factor), rownames(modes)[i], modes[i, 1])
  }
  if (nobs(fit) < 1000 && !isSingular(fit)) {
    X <- getME(fit, "X"); Z <- as.matrix(getME(fit, "Z")); L <- as.matrix(getME(fit, "Lambda"))
    C <- rbind(cbind(crossprod(X), crossprod(X, Z %*% L)),
               cbind(crossprod(Z %*% L, X), crossprod(Z %*% L) + diag(ncol(Z))))
    pev <- diag(L %*% solve(C)[-seq_len(ncol(X)), -seq_len(ncol(X))] %*% t(L)) * sigma(fit)^2
    first <- names(ranef(fit))
    starts <- getME(fit, "Gp")
    for (k in seq_along(first)) for (i in 1:3)
      add(paste0("pev.", first[k]), rownames(ranef(fit)[[k]])[i], pev[starts[k] + i])
  }
}

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
record("sleepstudy", lmer(Reaction ~ Days + (1 | Subject), sleepstudy, control = tight))
record("Dyestuff", lmer(Yield ~ 1 + (1 | Batch), Dyestuff, control = tight))
record("Dyestuff2", lmer(Yield ~ 1 + (1 | Batch), Dyestuff2, control = tight))
record("Penicillin", lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin, control = tight))
record("Pastes", lmer(strength ~ 1 + (1 | batch) + (1 | sample), Pastes, control = tight))
record("InstEval", lmer(y ~ service + (1 | s) + (1 | d), InstEval, control = tight))
write.csv(do.call(rbind, rows), file.path("tests", "reference", "fair_ranking.csv"),
          row.names = FALSE, quote = FALSE)
