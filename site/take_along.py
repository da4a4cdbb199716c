def offer(book, html):
    pass
