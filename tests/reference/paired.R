# Paired expectation / perception scores: paired t, Wilcoxon, standardised mean differences,
# adjusted p values, and group comparisons of the gap scores.
# (run with R 4.2.2: stats; psych 2.2.9 and effectsize 0.8.3 for the rows that name them).
#
#   Rscript paired.R          no argument; writes paired_data.csv (the made-up sample, n = 40)
#                             and paired.csv beside this script
#
# Sample: 22 expectation items E_* and 22 perception items P_*, integers 1-7, of five
# dimensions (4, 5, 4, 4, 5 items), and two groupings. A dimension's score is the mean of its
# items; gap = perception - expectation, so every difference, t and d below is P - E.
#
# Tightened: intervals for d come from the noncentral t by uniroot(pt) with tol = 1e-12; the
# packages' own intervals (psych::d.ci: uniroot at its default tol; effectsize: optim) are
# written beside them and agree to a few digits only.
#
# columns topic, dimension, quantity, item, value, n
# topic "describe"  mean_, sd_ (n - 1) of e, p, gap; r_ep Pearson correlation
# topic "t"         paired t.test: t, df, p, ci_low, ci_high (95 %, of the mean gap)
# topic "wilcoxon"  V, p_correct, p_nocorrect: wilcox.test(exact = FALSE) with and without the
#                   continuity correction; zeros dropped (n_nonzero), ties averaged. Ranked on
#                   item SUMS, where ties are exact. Means of 5 items (fifths) are not exact in
#                   binary, so differences of means that should tie do not quite, and R ranks
#                   them apart: V_means, p_correct_means, p_nocorrect_means are that naive
#                   answer (not one to match: it hangs on rounding errors, so perhaps on the
#                   machine), _digits the same with digits.rank = 10, which repairs it.
# topic "d"         dz = mean(gap) / sd(gap), with _ci_low/_ci_high = ncp / sqrt(n), where
#                   pt(t, n - 1, ncp) = .975 / .025
#                   gz = J dz (limits too), J = gamma(m/2) / (sqrt(m/2) gamma((m-1)/2)), m = n - 1
#                   d_av = mean(gap) / ((sd_e + sd_p)/2)                       (Lakens 2013)
#                   d_rms = mean(gap) / sqrt((sd_e^2 + sd_p^2)/2)              (Cumming 2012)
#                   g_av, g_rms = J times these; g_av_approx = (1 - 3/(4 m - 1)) d_av
#                   limits of d_av, d_rms: those of ncp times sd(gap) / (sqrt(n) denominator)
#                   (Algina & Keselman 2003; approximate), g: J times the limits
#                   dz_*_psych = psych::d.ci(dz, n1 = n); gz_*_effectsize = effectsize::hedges_g
#                   (paired = TRUE). Neither package, at these versions, has a CI for d_av.
# topic "adjust"    p.adjust over the 5 dimensions of the paired t p and of the Wilcoxon
#                   p_correct: holm, BH, bonferroni
# topic "groups2"   gap of a against b: t.test Welch (t, df, p, CI of a - b), student_ pooled
# topic "groups3"   gap by x, y, z: oneway.test Welch (welch_F, welch_df1, welch_df2, welch_p)
#                   and the classical ANOVA (F, df1, df2, p); pairwise.t.test p values with
#                   pool.sd = FALSE (pairwise_welch_) and TRUE (pairwise_pooled_), item = the
#                   pair, unadjusted (none), holm, BH
#                   in groups2, groups3 dimension "overall" is the mean of the five gaps
suppressMessages({library(psych); library(effectsize)})
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))
items <- c(tangibles = 4, reliability = 5, responsiveness = 4, assurance = 4, empathy = 5)

# --- the sample ---------------------------------------------------------------------------
RNGkind("Mersenne-Twister", "Inversion", "Rejection"); set.seed(20240611)
n <- 40
shift <- c(tangibles = -0.1, reliability = -0.9, responsiveness = -0.5, assurance = -0.3, empathy = 0.2)
d <- data.frame(id = seq_len(n), group2 = rep(c("a", "b"), c(18, 22)),
                group3 = rep(c("x", "y", "z"), length.out = n))
halo <- rnorm(n)
for (s in names(items)) {
  e <- 5.2 + .5 * halo + .7 * rnorm(n)
  p <- e + shift[s] + .5 * (d$group2 == "b") + .6 * (d$group3 == "z") + .8 * rnorm(n)
  for (w in c("E", "P")) for (i in seq_len(items[s]))
    d[[paste(w, s, i, sep = "_")]] <- pmin(7, pmax(1, round((if (w == "E") e else p) + .9 * rnorm(n))))
}
write.csv(d, file.path(here, "paired_data.csv"), row.names = FALSE, quote = FALSE)

# --- the values ---------------------------------------------------------------------------
d <- read.csv(file.path(here, "paired_data.csv"))
out <- list()
put <- function(topic, dimension, quantity, value, item = "", n = nrow(d))
  out[[length(out) + 1]] <<- data.frame(topic, dimension, quantity, item,
                                        value = sprintf("%.15g", value), n)
cols <- function(w, s) paste(w, s, seq_len(items[s]), sep = "_")
ncp <- function(t, df, prob) uniroot(function(x) suppressWarnings(pt(t, df, x)) - prob,
  c(t - 10, t + 10), tol = 1e-12)$root

gaps <- list(); pt_ <- pw_ <- c()
for (s in names(items)) {
  se <- rowSums(d[cols("E", s)]); sp <- rowSums(d[cols("P", s)])      # integers
  e <- se / items[s]; p <- sp / items[s]; g <- (sp - se) / items[s]
  gaps[[s]] <- g
  for (q in c("e", "p", "gap")) { v <- list(e = e, p = p, gap = g)[[q]]
    put("describe", s, paste0("mean_", q), mean(v)); put("describe", s, paste0("sd_", q), sd(v)) }
  put("describe", s, "r_ep", cor(e, p))

  t <- t.test(p, e, paired = TRUE); pt_[s] <- t$p.value
  put("t", s, "t", t$statistic); put("t", s, "df", t$parameter); put("t", s, "p", t$p.value)
  put("t", s, "ci_low", t$conf.int[1]); put("t", s, "ci_high", t$conf.int[2])

  w <- function(x, y, correct, ...) wilcox.test(x, y, paired = TRUE, exact = FALSE, correct = correct, ...)
  put("wilcoxon", s, "n_nonzero", sum(sp != se))
  put("wilcoxon", s, "V", w(sp, se, TRUE)$statistic)
  put("wilcoxon", s, "p_correct", pw_[s] <- w(sp, se, TRUE)$p.value)
  put("wilcoxon", s, "p_nocorrect", w(sp, se, FALSE)$p.value)
  me <- rowMeans(d[cols("E", s)]); mp <- rowMeans(d[cols("P", s)])
  put("wilcoxon", s, "V_means", w(mp, me, TRUE)$statistic)
  put("wilcoxon", s, "p_correct_means", w(mp, me, TRUE)$p.value)
  put("wilcoxon", s, "p_nocorrect_means", w(mp, me, FALSE)$p.value)
  put("wilcoxon", s, "V_digits", w(mp, me, TRUE, digits.rank = 10)$statistic)
  put("wilcoxon", s, "p_correct_digits", w(mp, me, TRUE, digits.rank = 10)$p.value)

  m <- n - 1; J <- exp(lgamma(m / 2) - log(sqrt(m / 2)) - lgamma((m - 1) / 2))
  tt <- mean(g) / (sd(g) / sqrt(n)); lim <- c(ncp(tt, m, .975), ncp(tt, m, .025))
  den <- c(dz = sd(g), d_av = (sd(e) + sd(p)) / 2, d_rms = sqrt((var(e) + var(p)) / 2))
  for (q in names(den)) {
    x <- c(mean(g), lim * sd(g) / sqrt(n)) / den[q]
    for (i in 1:3) { tail <- c("", "_ci_low", "_ci_high")[i]
      put("d", s, paste0(q, tail), x[i]); put("d", s, paste0(sub("^d", "g", q), tail), J * x[i]) }
  }
  put("d", s, "J", J); put("d", s, "g_av_approx", (1 - 3 / (4 * m - 1)) * mean(g) / den["d_av"])
  pc <- psych::d.ci(mean(g) / sd(g), n1 = n)
  put("d", s, "dz_ci_low_psych", pc[1]); put("d", s, "dz_ci_high_psych", pc[3])
  ef <- effectsize::hedges_g(p, e, paired = TRUE, verbose = FALSE)
  put("d", s, "gz_effectsize", ef$Hedges_g)
  put("d", s, "gz_ci_low_effectsize", ef$CI_low); put("d", s, "gz_ci_high_effectsize", ef$CI_high)
}
for (how in c("holm", "BH", "bonferroni")) for (s in names(items)) {
  put("adjust", s, paste0("t_p_", how), p.adjust(pt_, how)[s])
  put("adjust", s, paste0("wilcoxon_p_", how), p.adjust(pw_, how)[s])
}

gaps$overall <- rowMeans(do.call(cbind, gaps))
for (s in names(gaps)) {
  g <- gaps[[s]]
  for (k in c("a", "b")) { v <- g[d$group2 == k]
    put("groups2", s, "mean", mean(v), k, length(v)); put("groups2", s, "sd", sd(v), k, length(v)) }
  for (eq in c(FALSE, TRUE)) {
    t <- t.test(g ~ group2, data = d, var.equal = eq); pre <- if (eq) "student_" else "welch_"
    v <- c(t = t$statistic, df = t$parameter, p = t$p.value, ci_low = t$conf.int[1], ci_high = t$conf.int[2])
    for (i in 1:5) put("groups2", s, paste0(pre, c("t", "df", "p", "ci_low", "ci_high")[i]), v[i])
  }
  for (k in c("x", "y", "z")) { v <- g[d$group3 == k]
    put("groups3", s, "mean", mean(v), k, length(v)); put("groups3", s, "sd", sd(v), k, length(v)) }
  for (eq in c(FALSE, TRUE)) {
    o <- oneway.test(g ~ group3, data = d, var.equal = eq); pre <- if (eq) "" else "welch_"
    v <- c(o$statistic, o$parameter, o$p.value)
    for (i in 1:4) put("groups3", s, paste0(pre, c("F", "df1", "df2", "p")[i]), v[i])
  }
  for (pool in c(FALSE, TRUE)) for (how in c("none", "holm", "BH")) {
    pp <- pairwise.t.test(g, d$group3, pool.sd = pool, p.adjust.method = how)$p.value
    for (i in rownames(pp)) for (j in colnames(pp)) if (!is.na(pp[i, j]))
      put("groups3", s, paste0("pairwise_", if (pool) "pooled_" else "welch_", how), pp[i, j], paste0(j, ":", i))
  }
}
write.csv(do.call(rbind, out), file.path(here, "paired.csv"), row.names = FALSE, quote = FALSE)
