"""The pages: what a person sees in the browser, in Chinese; the JSON interface lives in `kabao.api`."""
