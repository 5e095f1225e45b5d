"""Places of the columns in a row, in the order in which both forms have them."""

(
    PIN,
    SURNAME,
    GIVEN_NAME,
    PATRONYMIC,
    SEX,
    BORN,
    PLACE,
    PLACE_NAME,
    MOTHER,
    FATHER,
    REGISTERED,
    NUMBER,
    OFFICE,
) = range(13)
