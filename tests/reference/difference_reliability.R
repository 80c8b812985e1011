# Reliability of a difference score (gap = perception - expectation)
# (run with R 4.2.2, psych 2.2.9; closed forms, nothing to tighten).
#
#   Rscript difference_reliability.R      reads paired_data.csv beside this script, which
#                                         paired.R writes; writes difference_reliability.csv
#
#   r_D = (sP^2 rPP + sE^2 rEE - 2 rPE sP sE) / (sP^2 + sE^2 - 2 rPE sP sE)
# with rPP, rEE the raw alphas of the perception and expectation items (psych::alpha), sP, sE
# the standard deviations (n - 1) of the two scores and rPE their Pearson correlation. The
# denominator is the variance of the gap. The scale of the scores cancels (item means here).
#
# quantities   rPP, rEE, sP, sE, rPE, r_D
#   alpha_gap  raw alpha of the item-by-item differences P_i - E_i. It is not r_D: r_D takes
#              the errors of P and E as uncorrelated, alpha_gap lets the errors of the same
#              item in the two parts correlate. They are equal only when
#              the mean covariance of P_i with E_i (same item) equals that of P_i with E_j
# dimension "all" is the 22-item scale
suppressMessages(library(psych))
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))
d <- read.csv(file.path(here, "paired_data.csv"))
dims <- unique(sub("^E_(.*)_[0-9]+$", "\\1", grep("^E_", names(d), value = TRUE)))
alpha_raw <- function(x)      # items are never reversed here, whatever psych would advise
  { capture.output(a <- suppressWarnings(psych::alpha(x, check.keys = FALSE))); a$total$raw_alpha }
out <- list()
for (s in c(dims, "all")) {
  e <- d[grep(if (s == "all") "^E_" else paste0("^E_", s, "_"), names(d))]
  p <- d[sub("^E_", "P_", names(e))]
  rPP <- alpha_raw(p); rEE <- alpha_raw(e)
  sP <- sd(rowMeans(p)); sE <- sd(rowMeans(e)); rPE <- cor(rowMeans(p), rowMeans(e))
  v <- c(rPP = rPP, rEE = rEE, sP = sP, sE = sE, rPE = rPE,
         r_D = (sP^2 * rPP + sE^2 * rEE - 2 * rPE * sP * sE) / (sP^2 + sE^2 - 2 * rPE * sP * sE),
         alpha_gap = alpha_raw(p - e))
  out[[s]] <- data.frame(dimension = s, quantity = names(v), value = sprintf("%.15g", v),
                         items = ncol(e), n = nrow(d))
}
write.csv(do.call(rbind, out), file.path(here, "difference_reliability.csv"), row.names = FALSE, quote = FALSE)
