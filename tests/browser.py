"""Debian's Chromium, without a window."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import text_to_be_present_in_element
from selenium.webdriver.support.wait import WebDriverWait

_BROWSER, _DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
_FLAGS = (
    "--headless",
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a microphone that beeps
    "--use-fake-ui-for-media-stream",
)
_PATIENCE_IN_SECONDS = 20


class Page:
    """A page in a browser; a CSS selector names an element of it."""

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser

    def forget_users(self) -> None:
        self.browser.delete_all_cookies()

    def open(self, url: str) -> None:
        self.browser.get(url)

    def click(self, selector: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, selector).click()

    def type(self, selector: str, text: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, selector).send_keys(text)

    def run(self, script: str, *arguments: str) -> object:
        """Run a script, and return what it or its promise returns."""
        return self.browser.execute_script(script, *arguments)

    def wait_for(self, selector: str, text: str) -> None:
        """Wait until the element shows the text."""
        shows_it = text_to_be_present_in_element((By.CSS_SELECTOR, selector), text)
        try:
            WebDriverWait(self.browser, _PATIENCE_IN_SECONDS).until(shows_it)
        except TimeoutException:
            page = self.browser.find_element(By.TAG_NAME, "body").text
            raise AssertionError(f"{selector} does not show {text!r}; the page shows:\n{page}") from None


@contextmanager
def browsing() -> Generator[Page, None, None]:
    """Give an empty page of a browser with an empty profile, until the block ends."""
    if not (shutil.which(_BROWSER) and shutil.which(_DRIVER)):
        pytest.skip("Debian's packages chromium and chromium-driver are not installed")
    options = ChromeOptions()
    options.binary_location = _BROWSER
    # Chromium's last processes may outlive the driver by a moment, and write.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        browser = Chrome(options, ChromeService(_DRIVER))
        try:
            yield Page(browser)
        finally:
            browser.quit()
